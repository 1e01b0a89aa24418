// A `kubectl get --watch` that continues while a test does something else.

import type { Caller } from './asking.ts'
import type { KubeSite } from './kube-site.ts'
import { NAMESPACE } from './roles.ts'
import { startKubectl } from './running.ts'

/** One. */
export interface Watch extends AsyncDisposable {
  /** The lines so far. */
  readonly lines: readonly string[]
  /** What it complained of, once it has ended by itself. */
  readonly ended: Promise<string>
}

/** Starts one, of what is in the namespace. */
export const startWatch = (
  site: KubeSite,
  caller: Caller,
  address: string,
  what: readonly string[],
): Watch => {
  const get = ['get', ...what, '--namespace', NAMESPACE, '--watch']
  const running = startKubectl(site, caller, get, { address })
  return {
    get lines() {
      return running.printed.split('\n').slice(0, -1)
    },
    ended: running.ended.then(({ complaint }) => complaint),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}
