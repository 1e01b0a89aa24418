// A real lighttpd in front of a real PHP over FastCGI. As CGI does (RFC 3875 §4.1.18), it makes a variable of each
// header, and an underscore of every character of its name that is neither letter nor digit.

import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { z } from 'zod'
import { findProgram } from '../../src/runtime/child.ts'
import type { Answer } from './client.ts'
import { Daemon } from './daemon.ts'
import { freePort } from './ports.ts'
import type { KeyPair } from './pki.ts'
import { temporaryFolder } from './temporary.ts'

/** A running one. */
export interface Lighttpd extends AsyncDisposable {
  readonly port: number
}

const MISSING =
  'no lighttpd and php-cgi on this machine: "sudo sh scripts/test-servers.sh" installs them'

/**
 * For `skip` of node:test: the reason to skip tests that need lighttpd and PHP, or `false` where they are there.
 * Throws where `CI` is `true`: there a missing server is a fault and not a reason.
 */
export const skipWithoutLighttpd = (): string | false => {
  if (findProgram('lighttpd') !== undefined && findProgram('php-cgi') !== undefined) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** The path of the page that answers with the variables of the request. */
export const VARIABLES = '/variables.php'

const PAGE = `<?php
$received = array_filter($_SERVER, fn($name) => str_starts_with($name, 'HTTP_'), ARRAY_FILTER_USE_KEY);
header('content-type: application/json');
echo json_encode((object) $received, JSON_INVALID_UTF8_SUBSTITUTE);
`

/** The variables of an answer of {@link VARIABLES}: `HTTP_X_REMOTE_USER` and the like. */
export const variablesIn = ({ body }: Answer): Readonly<Record<string, string>> =>
  z.record(z.string(), z.string()).parse(JSON.parse(body))

/** Starts both, with TLS; clients have to show a certificate of the CA. */
export const startLighttpd = async (identity: KeyPair, clientCa: string): Promise<Lighttpd> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const port = await freePort()
  const root = folder.file('root')
  await mkdir(root)
  await writeFile(`${root}${VARIABLES}`, PAGE)
  const config = folder.file('lighttpd.conf')
  await writeFile(
    config,
    configuration({ port, root, socket: folder.file('php'), identity, clientCa }),
  )
  const daemon = stack.use(
    new Daemon({
      command: findProgram('lighttpd') ?? 'lighttpd',
      args: ['-D', '-f', config],
      probe: () => listens(port),
    }),
  )
  await daemon.start()
  const running = stack.move()
  return { port, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

const configuration = (site: {
  readonly port: number
  readonly root: string
  readonly socket: string
  readonly identity: KeyPair
  readonly clientCa: string
}): string => `
server.modules = ("mod_openssl", "mod_fastcgi")
server.bind = "127.0.0.1"
server.port = ${site.port}
server.document-root = "${site.root}"
server.feature-flags = ("server.h2proto" => "disable")
ssl.engine = "enable"
ssl.pemfile = "${site.identity.certificate}"
ssl.privkey = "${site.identity.key}"
ssl.ca-file = "${site.clientCa}"
ssl.verifyclient.activate = "enable"
ssl.verifyclient.enforce = "enable"
fastcgi.server = (".php" => ((
  "bin-path" => "${findProgram('php-cgi') ?? 'php-cgi'}",
  "socket" => "${site.socket}",
  "max-procs" => 1,
)))
`

/** Whether TLS begins; without a certificate it goes no further. */
const listens = async (port: number): Promise<void> =>
  await new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', rejectUnauthorized: false })
      .once('response', () => resolve())
      .once('error', (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ECONNREFUSED') reject(cause)
        else resolve()
      })
      .end()
  })
