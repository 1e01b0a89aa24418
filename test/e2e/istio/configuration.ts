// The configuration of authz: that in the values for Istio, at the places of this machine; its users and
// the issuer whose tokens count.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { istioConfiguration } from '../../../scripts/istio-files.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import type { Pki } from '../../servers/pki.ts'
import { startOtherIssuer, type OtherIssuer } from '../other-issuer.ts'
import { placed, type Places } from './files.ts'

/** Every user's password. */
export const PASSWORD = 'open sesame'

const USERS = {
  alice: ['dev', 'ops'],
  bob: ['ops'],
  carol: [],
  dave: [],
  guest: ['guests'],
} as const

/** The users file. */
export const usersFile = async (): Promise<string> => {
  const password = await cheapHash(PASSWORD)
  const users = Object.entries(USERS).map(([name, groups]) => [name, { password, groups }])
  return stringify({ users: Object.fromEntries(users) }, { aliasDuplicateObjects: false })
}

/** An issuer of another operator, and its tokens. */
export interface TokenIssuer extends OtherIssuer {
  /** A token about a user in the group ops, which ends in so many seconds. */
  token(user: string, seconds?: number): Promise<string>
}

const LIFE = 300

/** The user and groups of alice's token, as the configuration names them. */
export const ALICE_BY_TOKEN = 'oidc:id-of-alice of oidc:dev|oidc:ops'

/** Starts an issuer. */
export const startTokenIssuer = async (pki: Pki): Promise<TokenIssuer> => {
  const otherIssuer = await startOtherIssuer(pki)
  const { key, issuer } = otherIssuer
  return {
    ...otherIssuer,
    token: async (user, seconds = LIFE) => {
      const now = Math.floor(Date.now() / 1_000)
      return await key.token({
        iss: issuer,
        aud: 'example',
        sub: `id-of-${user}`,
        preferred_username: user,
        groups: ['dev', 'ops'],
        iat: now - LIFE,
        exp: now + seconds,
      })
    },
  }
}

const section = z.looseObject({})
const configSchema = section.extend({
  authenticators: section.extend({ 'staff-token': section.extend({ bearer: section }) }),
})

/** countersign.yaml. */
export const configuration = async (
  places: Pick<Places, 'folder'>,
  authz: object,
  { server }: OtherIssuer,
  ca: string,
): Promise<string> => {
  const { authenticators, ...config } = configSchema.parse(
    await istioConfiguration({
      listen: { authz, issuer: 'unix:issuer.sock' },
      certificateGrants: { keyring: 'file:/etc/countersign/secrets/countersign-grants/grant.keys' },
      audit: { file: 'audit.jsonl' },
    }),
  )
  const { 'staff-token': token, ...others } = authenticators
  const bearer = { ...token.bearer, issuer: server.origin, keys: { ca } }
  const known = { ...others, 'staff-token': { ...token, bearer } }
  return placed(stringify({ ...config, authenticators: known }), places)
}

/** Writes files below the folder, as a mounted Secret would. */
export const writeFiles = async (
  { folder }: Pick<Places, 'folder'>,
  texts: Readonly<Record<string, string>>,
): Promise<void> => {
  for (const [name, text] of Object.entries(texts)) {
    const file = join(folder, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { mode: 0o600 })
  }
}
