// Every page of the issuer in the states that it can be in, with texts that are easy to tell.

import { themeSchema, type ThemeConfig } from '../../src/pages/theme-schema.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import type { Language } from '../../src/pages/i18n/catalog.ts'
import type { FormContext } from '../../src/pages/context.ts'
import type { Html } from '../../src/pages/html.ts'
import { loadTheme, type Theme } from '../../src/pages/theme.ts'
import { accountPage, type AccountModel } from '../../src/pages/views/account.ts'
import { challengePage } from '../../src/pages/views/challenge.ts'
import { consentPage } from '../../src/pages/views/consent.ts'
import { devicePage } from '../../src/pages/views/device.ts'
import { interruptedPage } from '../../src/pages/views/interrupted.ts'
import { loginPage, type LoginModel } from '../../src/pages/views/login.ts'
import { confirmLogoutPage, loggedOutPage } from '../../src/pages/views/logout.ts'
import { messagePage } from '../../src/pages/views/message.ts'

/** The look of a configuration, as it is written. */
export const themeOf = async (config: unknown = {}): Promise<Theme> =>
  await loadTheme(themeSchema.parse(config), new ConfigurationFiles())

/** Everything that a look can have but a logo. */
export const FULL_THEME = {
  name: 'Example Works',
  accent: '#7a3cc4',
  support: { text: 'Service desk, extension 4711', url: 'https://help.example.org/login' },
  imprint: 'https://example.org/imprint',
  privacy: 'https://example.org/privacy',
  timeZone: 'Europe/Berlin',
} satisfies Partial<Record<keyof ThemeConfig, unknown>>

/** Paths of every form; each page takes those that it needs. */
const PATHS = {
  password: '/interaction/abc/password',
  certificate: '/interaction/abc/certificate',
  provider: '/interaction/abc/provider',
  challenge: '/interaction/abc/challenge',
  cancel: '/interaction/abc/cancel',
  consent: '/interaction/abc/consent',
  device: '/device',
  logout: '/session/end/confirm',
  session: '/account/session',
  here: '/account/here',
  everywhere: '/account/everywhere',
} as const

/** The context of any page. */
export type AnyContext = FormContext<keyof typeof PATHS>

/** A context. */
export const contextOf = (theme: Theme, language: Language = 'en'): AnyContext => ({
  theme,
  language,
  csrf: { token: 'token-of-the-form' },
  paths: PATHS,
})

/** A login page with every way in. */
export const FULL_LOGIN: LoginModel = {
  destination: 'app.example.org',
  password: {},
  certificate: true,
  providers: [
    { id: 'corp', name: 'Example Corporation' },
    { id: 'github', name: 'GitHub' },
  ],
}

// A time that no test depends on, and that reads well.
const NOW = Date.UTC(2026, 10, 24, 14, 3)
const HOUR = 3_600_000

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'

/** An account page. */
export const ACCOUNT: AccountModel = {
  user: 'alice',
  name: 'Alice Example',
  email: 'alice@example.org',
  groups: ['dev', 'ops', 'domain admins'],
  means: [{ kind: 'password' }, { kind: 'one-time-code' }],
  loggedInAt: NOW - 3 * HOUR,
  expires: NOW + 5 * HOUR,
  sessions: [
    {
      id: 's1',
      current: true,
      userAgent: FIREFOX,
      address: '203.0.113.7',
      begun: NOW - 3 * HOUR,
      used: NOW - 20_000,
    },
    {
      id: 's2',
      current: false,
      userAgent: SAFARI,
      address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
      begun: NOW - 50 * HOUR,
      used: NOW - 26 * HOUR,
    },
    { id: 's3', current: false, begun: NOW - 60_000 },
  ],
  now: NOW,
}

/** The names of 2,000 groups. */
export const MANY_GROUPS: readonly string[] = Array.from(
  { length: 2_000 },
  (_, index) => `CN=Project ${index} Members,OU=Groups,DC=example,DC=org`,
)

const ID = { kind: 'decision', id: '0197f2a4-6c1e-7d3a-9b1f-3a5c7e9d0b24' } as const

/** A page that is to be seen. */
export interface Sample {
  readonly name: string
  readonly hasForms: boolean
  readonly page: (context: AnyContext) => Html
}

const login = (name: string, model: LoginModel): Sample => ({
  name: `login-${name}`,
  hasForms: true,
  page: (context) => loginPage(model, context),
})

const PASSWORD: LoginModel = { destination: 'app.example.org', password: { user: 'alice' } }

/** All of them. */
export const SAMPLES: readonly Sample[] = [
  login('password', { destination: 'app.example.org', password: {} }),
  login('everything', FULL_LOGIN),
  login('provider-only', { providers: [{ id: 'corp', name: 'Example Corporation' }] }),
  login('certificate-only', { certificate: true }),
  login('nothing', {}),
  login('wrong', { ...PASSWORD, problem: { kind: 'wrong' } }),
  login('missing', { ...PASSWORD, problem: { kind: 'missing', field: 'password' } }),
  login('locked', { ...PASSWORD, problem: { kind: 'locked', seconds: 280 } }),
  login('unavailable', { ...PASSWORD, problem: { kind: 'unavailable' } }),
  login('expired', { ...PASSWORD, problem: { kind: 'expired' } }),
  login('refused', { ...PASSWORD, problem: { kind: 'refused', code: 'password-must-change' } }),
  login('no-certificate', { ...FULL_LOGIN, problem: { kind: 'certificate', reason: 'none' } }),
  login('provider-failed', {
    ...FULL_LOGIN,
    problem: { kind: 'provider', name: 'Example Corporation' },
  }),
  {
    name: 'challenge',
    hasForms: true,
    page: (context) =>
      challengePage(
        {
          message: 'Enter the code from your token.\nSerial number 12345',
          echo: true,
          numeric: true,
        },
        context,
      ),
  },
  {
    name: 'challenge-wrong',
    hasForms: true,
    page: (context) =>
      challengePage({ message: '', echo: false, problem: { kind: 'wrong' } }, context),
  },
  {
    name: 'consent',
    hasForms: true,
    page: (context) =>
      consentPage(
        {
          client: 'Photo Printer',
          user: 'alice',
          scopes: [
            { name: 'openid' },
            { name: 'groups' },
            { name: 'orders:read', description: 'read your orders' },
            { name: 'urn:example:other' },
          ],
          claims: ['name', 'email'],
          goesTo: 'printer.example.net',
        },
        context,
      ),
  },
  {
    name: 'device-enter',
    hasForms: true,
    page: (context) => devicePage({ step: 'enter' }, context),
  },
  {
    name: 'device-unknown',
    hasForms: true,
    page: (context) =>
      devicePage({ step: 'enter', code: 'WDJB-MJHT', problem: 'unknown' }, context),
  },
  {
    name: 'device-confirm',
    hasForms: true,
    page: (context) =>
      devicePage({ step: 'confirm', client: 'kubectl', code: 'WDJB-MJHT' }, context),
  },
  {
    name: 'device-done',
    hasForms: false,
    page: (context) => devicePage({ step: 'done' }, context),
  },
  {
    name: 'device-denied',
    hasForms: false,
    page: (context) => devicePage({ step: 'denied' }, context),
  },
  {
    name: 'confirm-logout',
    hasForms: true,
    page: (context) => confirmLogoutPage({ client: 'Photo Printer' }, context),
  },
  {
    name: 'logged-out',
    hasForms: false,
    page: (context) =>
      loggedOutPage({ goOn: 'https://app.example.org/bye', logIn: '/account' }, context),
  },
  { name: 'account', hasForms: true, page: (context) => accountPage(ACCOUNT, context) },
  {
    name: 'account-many-groups',
    hasForms: true,
    page: (context) =>
      accountPage({ ...ACCOUNT, groups: MANY_GROUPS, groupsOmitted: 37, done: 'ended' }, context),
  },
  {
    name: 'message-error',
    hasForms: false,
    page: (context) =>
      messagePage(
        { message: 'denied', tone: 'error', id: ID, back: 'https://app.example.org/' },
        context,
      ),
  },
  {
    name: 'message-detail',
    hasForms: false,
    page: (context) =>
      messagePage(
        {
          message: 'malformed',
          tone: 'error',
          id: { kind: 'request', id: 'req-1' },
          detail: 'invalid_redirect_uri: redirect_uri did not match any of the client',
          wait: 30,
        },
        context,
      ),
  },
  {
    name: 'message-notice',
    hasForms: false,
    page: (context) => messagePage({ message: 'cancelled', tone: 'notice' }, context),
  },
  {
    name: 'interrupted',
    hasForms: false,
    page: (context) =>
      interruptedPage(
        { target: 'app.example.org/orders/new', logIn: '/.countersign/login', id: ID },
        context,
      ),
  },
]
