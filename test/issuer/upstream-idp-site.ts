// A site whose users may log in at upstream IdPs, for the tests in this folder.

import { FAKE_CLIENT } from '../fakes/openid-provider.ts'
import {
  authorization,
  configuration,
  ISSUER,
  startSite,
  type Site,
} from './authorization-server.ts'

/** The redirect URI for a provider. */
export const callbackOf = (id: string): string => `${ISSUER}/login/callback/${id}`

/** A provider, as far as tests differ. */
export interface ProviderText {
  readonly id: string
  readonly issuer: string
  readonly ca?: string
  readonly further?: Readonly<Record<string, unknown>>
}

/** A site where users log in there. */
export const siteWith = async (
  providers: readonly ProviderText[],
  authenticators = '[staff]',
  base = configuration(),
): Promise<Site> => {
  const entries = providers.map(({ id, issuer, ca, further }) => [
    id,
    {
      name: `The ${id}`,
      issuer,
      clientId: FAKE_CLIENT.id,
      clientSecret: 'file:provider-secret',
      ...(ca === undefined ? {} : { ca }),
      ...further,
    },
  ])
  const text = JSON.stringify(Object.fromEntries(entries))
  return await startSite(
    base.replace(
      'authenticators: [staff]\n    claims',
      `authenticators: ${authenticators}\n    providers: ${text}\n    claims`,
    ),
    { 'provider-secret': FAKE_CLIENT.secret },
  )
}

/** Goes to the login page, and on to a provider. */
export const leave = async (
  site: Site,
  id: string,
  parameters: Readonly<Record<string, string>> = {},
  browser = site.browser(),
) => {
  const client = await site.client('spa')
  const { url, checks } = await authorization(client, parameters)
  const page = await browser.get(url)
  const left = await browser.submit(page, '/provider', { provider: id })
  return { client, checks, browser, page, left }
}

/** How logins ended, and where. */
export const refusals = async (site: Site) =>
  (await site.audit('login')).map(({ outcome, reason, authenticator }) => [
    outcome,
    reason,
    authenticator,
  ])
