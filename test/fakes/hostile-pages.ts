// Every page with an untrusted text wherever it can have one.

import type { Html } from '../../src/pages/html.ts'
import { accountPage } from '../../src/pages/views/account.ts'
import { challengePage } from '../../src/pages/views/challenge.ts'
import { consentPage } from '../../src/pages/views/consent.ts'
import { devicePage } from '../../src/pages/views/device.ts'
import { interruptedPage } from '../../src/pages/views/interrupted.ts'
import { loginPage } from '../../src/pages/views/login.ts'
import { messagePage } from '../../src/pages/views/message.ts'
import { confirmLogoutPage } from '../../src/pages/views/logout.ts'
import { ACCOUNT, type AnyContext } from './pages.ts'

/** What is not cut, since it is not untrusted text. */
const own = (text: string): string => text.slice(0, 300)

/** Every page with one text wherever it can have an untrusted one. */
export const pagesWith = (text: string): readonly ((context: AnyContext) => Html)[] => [
  (context) =>
    loginPage(
      {
        destination: text,
        password: { user: text },
        providers: [{ id: own(text), name: text }],
        problem: { kind: 'provider', name: text },
      },
      context,
    ),
  (context) => challengePage({ message: `x${text}`, echo: true }, context),
  (context) =>
    consentPage(
      {
        client: text,
        user: text,
        scopes: [{ name: `${text}.` }, { name: text, description: `${text}.` }],
        claims: [text],
        goesTo: text,
      },
      context,
    ),
  (context) => devicePage({ step: 'enter', code: `x${text}`, problem: 'unknown' }, context),
  (context) => devicePage({ step: 'confirm', client: text, code: own(text) }, context),
  (context) => confirmLogoutPage({ client: text }, context),
  (context) =>
    accountPage(
      {
        ...ACCOUNT,
        user: text,
        name: text,
        email: text,
        groups: [text, text],
        means: [{ kind: 'provider', name: text }],
        sessions: [
          { id: own(text), current: true, userAgent: `x${text}`, address: text, begun: 0 },
        ],
      },
      context,
    ),
  (context) =>
    messagePage(
      {
        message: { title: own(text), what: own(text), todo: own(text) },
        tone: 'error',
        id: { kind: 'request', id: text },
        detail: text,
      },
      context,
    ),
  (context) => interruptedPage({ target: text, logIn: '/login' }, context),
]
