// A login, by whatever way there is: a browser on this machine, or a code that is typed on another.

import { CountersignError } from '../../runtime/errors.ts'
import { printable } from '../printable.ts'
import { startLoopback } from './browser/loopback.ts'
import type { Tokens } from './login-record.ts'
import type { Provider } from './provider/provider.ts'

/** How to log in. */
export interface LoginFlow {
  /** Whether with a code on another device; default: where there is no browser here. */
  readonly device?: boolean
  /** Whether a browser may be opened; default: yes. */
  readonly browser?: boolean
  /** Where the answer of the browser is waited for; 0 for any port. */
  readonly port: number
  readonly consent: boolean
}

/** The terminal and the browser of the user. */
export interface Person {
  /** Tells them; a line or several. */
  tell(text: string): void
  /** Whether there is a browser for them to see. */
  readonly hasBrowser: boolean
  /** Opens a page in it; says whether that could be tried. */
  open(url: URL): Promise<boolean>
}

const LOGIN_TIMEOUT_MS = 300_000

/**
 * Logs a user in.
 *
 * @param timeout of the login in the browser, in milliseconds
 * @throws CountersignError `login-failed`, `unavailable`, `listen-failed`; the reason of the signal
 */
export const logIn = async (
  provider: Provider,
  flow: LoginFlow,
  person: Person,
  signal: AbortSignal,
  timeout = LOGIN_TIMEOUT_MS,
): Promise<Tokens> => {
  const here = person.hasBrowser && flow.browser !== false
  const device = flow.device ?? (!here && flow.browser !== false && provider.hasDeviceFlow)
  return device
    ? await onAnotherDevice(provider, person, signal)
    : await inBrowser(provider, { ...flow, browser: here }, person, signal, timeout)
}

const inBrowser = async (
  provider: Provider,
  { browser, port, consent }: LoginFlow,
  person: Person,
  signal: AbortSignal,
  timeout: number,
): Promise<Tokens> => {
  await using loopback = await startLoopback(port)
  const login = await provider.beginCode(loopback.redirectUri, { consent })
  const opened = browser === true && (await person.open(login.url))
  person.tell(
    opened
      ? `Log in with the browser that opens. If none opens, open this URL on this machine:\n\n  ${login.url.href}\n`
      : `Open this URL in a browser on this machine:\n\n  ${login.url.href}\n`,
  )
  const end = AbortSignal.timeout(timeout)
  const awaited = { state: login.state, take: (answer: URL) => login.finish(answer) }
  try {
    return await loopback.answer(awaited, AbortSignal.any([signal, end]))
  } catch (cause) {
    if (cause !== end.reason || !end.aborted) throw cause
    throw new CountersignError(
      'login-failed',
      `no login within ${Math.round(timeout / 60_000)} minutes; run the command again. Without a browser on this machine, --device logs in on another`,
    )
  }
}

const onAnotherDevice = async (
  provider: Provider,
  person: Person,
  signal: AbortSignal,
): Promise<Tokens> => {
  const login = await provider.beginDevice()
  const { verificationUri, completeUri, userCode, lifetime } = login
  const minutes = Math.max(1, Math.floor(lifetime / 60_000))
  person.tell(
    [
      `Open this page on any device, within ${minutes} min:\n`,
      `  ${printable(verificationUri)}\n`,
      `and enter this code, or compare it with the code on the page:\n`,
      `  ${printable(userCode)}\n`,
      ...(completeUri === undefined
        ? []
        : [`This page includes the code:\n`, `  ${printable(completeUri)}\n`]),
    ].join('\n'),
  )
  return await login.finish(signal)
}
