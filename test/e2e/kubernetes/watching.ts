// A `kubectl get --watch` that goes on while a test does something else.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { KUBECTL } from '../../servers/kubectl.ts'
import { at, type Caller } from './asking.ts'
import type { KubeSite } from './kube-site.ts'
import { NAMESPACE } from './roles.ts'

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
  { identity, state }: Caller,
  address: string,
  what: readonly string[],
): Watch => {
  const get = ['get', ...what, '--namespace', NAMESPACE, '--watch']
  const child = spawn(KUBECTL, [...identity, ...at(site, address), ...get], {
    env: { HOME: state, XDG_STATE_HOME: state },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, complaint] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk))
  const closed = once(child, 'close')
  return {
    get lines() {
      return output.split('\n').slice(0, -1)
    },
    ended: closed.then(() => complaint),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
