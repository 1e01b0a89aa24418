// A server that answers checks of Envoy: Countersign, or something that it is compared with.

import { once } from 'node:events'
import { connect } from 'node:net'
import { Daemon } from '../../test/servers/daemon.ts'
import type { Expectation } from '../expectation.ts'
import type { Installation } from '../installation.ts'
import type { Issued } from '../credentials/tokens.ts'

/** A running server. */
export interface CheckServer {
  /** As the tables name it. */
  readonly name: string
  /** Process ids. */
  readonly pids: readonly number[]
  /** On 127.0.0.1: all servers are measured over TCP. */
  readonly port: number
  /** Whether it verifies tokens and refuses what the rules deny; a no-op lets everything through. */
  readonly verifies: boolean
  /** Whether it reads `header_map` (encode_raw_headers of Envoy's filter), or `headers`. */
  readonly rawHeaders: boolean
  /** Takes part in these scenarios alone; absent for all. */
  readonly only?: readonly string[]
  /** Absent where nothing is cached. */
  readonly forNewTokens?: ForNewTokens
  /** What is right for a user whose request the rules allow. */
  readonly expectationOf: (user: string) => Expectation
}

/** Where new tokens are sent: to another process, so that they do not displace what the first has cached. */
export type ForNewTokens = Pick<CheckServer, 'pids' | 'port'>

/** A server that there cannot be here. */
export interface MissingServer {
  readonly name: string
  readonly reason: string
}

/** Starts a server that trusts the issuer of these tokens. */
export type StartServer = (
  installation: Installation,
  issued: Issued,
) => Promise<CheckServer | MissingServer>

/** Starts a program and waits until it accepts connections at a port. */
export const startProgram = async (
  installation: Installation,
  command: string,
  port: number,
  args: readonly string[],
): Promise<Pick<CheckServer, 'pids' | 'port'>> => {
  const daemon = installation.use(new Daemon({ command, args, probe: () => accepts(port) }))
  await daemon.start()
  return { pids: [daemon.pid], port }
}

const accepts = async (port: number): Promise<void> => {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
