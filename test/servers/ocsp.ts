// A CA of the openssl command, with its list of revocations, its CRLs, and real OCSP responders.

import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { findProgram } from '../../src/runtime/child.ts'
import { decodePem } from '../../src/x509/pem.ts'
import { Daemon, runProgram } from './daemon.ts'
import { freePort } from './ports.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary.ts'

const MISSING = 'no openssl on this machine: install the package of that name'

/**
 * For `skip` of node:test: the reason to skip tests that need openssl, or `false` where there is
 * one. Throws where `CI` is `true`: there a missing program is a fault and not a reason.
 */
export const skipWithoutOpenssl = (): string | false => {
  if (findProgram('openssl') !== undefined) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** What a certificate is for: a caller's own, a responder's, or neither. */
type Profile = 'leaf' | 'responder' | 'plain'

/** A running `openssl ocsp`. */
export interface OcspResponder extends AsyncDisposable {
  readonly url: string
  /** Suspends it, and resumes it: its port stays open and nothing answers. */
  pause(): void
  resume(): void
  /** Ends it at once. */
  kill(): Promise<void>
  /** Starts it again, on the same port. */
  start(): Promise<void>
}

/** A CA. Every name is that of its files, and a CN. */
export interface OpensslCa extends AsyncDisposable {
  readonly folder: TemporaryFolder
  /** Issues a certificate; `hidden` from the list, so that the responder does not know it. */
  issue(name: string, profile?: Profile, hidden?: boolean): Promise<Buffer>
  /** A certificate in DER, `ca` for its own. */
  certificate(name: string): Promise<Buffer>
  revoke(name: string, reason?: string): Promise<void>
  /** A complete CRL in PEM; `out of date` where that is wanted. */
  completeCrl(options?: { readonly outOfDate?: boolean }): Promise<Buffer>
  /** A delta CRL in PEM, of everything since the last complete one. */
  deltaCrl(): Promise<Buffer>
  /** Starts a responder whose answers `signer` signs. */
  respond(signer: string, lifetime?: readonly string[]): Promise<OcspResponder>
}

const configuration = (folder: TemporaryFolder, database: string, base: string): string => `
[ca]
default_ca = authority
[authority]
database = ${database}
serial = ${folder.file('serial')}
crlnumber = ${folder.file('crlnumber')}
new_certs_dir = ${folder.path}
certificate = ${folder.file('ca.crt')}
private_key = ${folder.file('ca.key')}
default_md = sha256
default_days = 30
default_crl_days = 1
policy = any
crl_extensions = complete
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
[plain]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
[responder]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,OCSPSigning
noCheck = ignored
[complete]
authorityKeyIdentifier = keyid
[delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical,DER:02:01:${base}
`

/** Makes a CA named `name`. */
export const createOpensslCa = async (name = 'Revocation test CA'): Promise<OpensslCa> => {
  const folder = await temporaryFolder()
  const file = (path: string): string => folder.file(path)
  const run = async (...args: readonly string[]): Promise<string> =>
    await runProgram('openssl', args)
  const key = async (path: string): Promise<void> => {
    await run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path)
  }
  const configure = async (path: string, database: string, base = '01'): Promise<void> =>
    await writeFile(path, configuration(folder, database, base))
  await Promise.all([
    writeFile(file('index.txt'), ''),
    writeFile(file('index.txt.attr'), 'unique_subject = no\n'),
    writeFile(file('serial'), '1000\n'),
    writeFile(file('crlnumber'), '01\n'),
    configure(file('ca.cnf'), file('index.txt')),
    key(file('ca.key')),
  ])
  const own = ['-key', file('ca.key'), '-subj', `/CN=${name}`, '-out', file('ca.crt')]
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
  await run('req', '-x509', '-new', '-sha256', '-days', '30', ...own, ...usage)
  const ca = async (...args: readonly string[]): Promise<string> =>
    await run('ca', '-config', file('ca.cnf'), ...args)
  const certificate = async (who: string): Promise<Buffer> => {
    const [der] = decodePem('CERTIFICATE', await readFile(file(`${who}.crt`), 'utf8'))
    if (der === undefined) throw new Error(`no certificate in ${who}.crt`)
    return der
  }
  let completeNumber = '01'
  return {
    folder,
    certificate,
    async issue(who, profile = 'leaf', hidden = false) {
      await key(file(`${who}.key`))
      const subject = ['-subj', `/CN=${who}`, '-key', file(`${who}.key`)]
      await run('req', '-new', ...subject, '-out', file(`${who}.csr`))
      const [from, to] = [file(`${who}.csr`), file(`${who}.crt`)]
      if (hidden) {
        const issuer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-set_serial', '0x9999']
        const extensions = ['-extfile', file('ca.cnf'), '-extensions', profile]
        await run('x509', '-req', ...issuer, ...extensions, '-sha256', '-in', from, '-out', to)
      } else await ca('-batch', '-notext', '-extensions', profile, '-in', from, '-out', to)
      return await certificate(who)
    },
    async revoke(who, reason = 'keyCompromise') {
      await ca('-revoke', file(`${who}.crt`), '-crl_reason', reason)
    },
    async completeCrl({ outOfDate = false } = {}) {
      const times = outOfDate
        ? ['-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200102000000Z']
        : []
      await ca('-gencrl', ...times, '-out', file('complete.pem'))
      const crl = await run('crl', '-in', file('complete.pem'), '-noout', '-crlnumber')
      completeNumber = /=(?:0x)?([0-9A-F]+)/i.exec(crl)?.[1] ?? '01'
      await copyFile(file('index.txt'), file('index.base'))
      return await readFile(file('complete.pem'))
    },
    async deltaCrl() {
      // openssl has no deltas of its own: it is given a list of what is new.
      const before = new Set((await readFile(file('index.base'), 'utf8')).split('\n'))
      const lines = (await readFile(file('index.txt'), 'utf8')).split('\n')
      const changed = lines.filter((line) => line !== '' && !before.has(line))
      await writeFile(file('delta.txt'), changed.map((line) => `${line}\n`).join(''))
      await copyFile(file('index.txt.attr'), file('delta.txt.attr'))
      await configure(file('delta.cnf'), file('delta.txt'), completeNumber)
      const out = ['-crlexts', 'delta', '-gencrl', '-out', file('delta.pem')]
      await run('ca', '-config', file('delta.cnf'), ...out)
      return await readFile(file('delta.pem'))
    },
    respond: async (signer, lifetime = ['-nmin', '5']) =>
      await startResponder(folder, signer, lifetime),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const READY = 'waiting for OCSP client connections'

/** Starts a responder from the files of a CA in a folder: `index.txt`, `ca.crt`, and those of `signer`. */
export const startResponder = async (
  folder: TemporaryFolder,
  signer: string,
  lifetime: readonly string[],
): Promise<OcspResponder> => {
  const file = (path: string): string => folder.file(path)
  const port = await freePort()
  const list = ['-index', file('index.txt'), '-CA', file('ca.crt')]
  const identity = ['-rsigner', file(`${signer}.crt`), '-rkey', file(`${signer}.key`)]
  let starts = 0
  const daemon = new Daemon({
    command: findProgram('openssl') ?? 'openssl',
    // -ignore_err: without it one malformed request ends it.
    args: ['ocsp', '-ignore_err', '-port', String(port), ...list, ...identity, ...lifetime],
    // Its log, never its port: a connection that is closed without a request hangs it permanently.
    probe: async () => {
      if (daemon.log.split(READY).length <= starts) throw new Error('not ready')
    },
  })
  const start = async (): Promise<void> => {
    starts += 1
    await daemon.start()
  }
  await start()
  return {
    url: `http://127.0.0.1:${port}/`,
    start,
    pause: () => daemon.signal('SIGSTOP'),
    resume: () => daemon.signal('SIGCONT'),
    kill: () => daemon.kill(),
    // It ends by TERM only between two connections.
    [Symbol.asyncDispose]: () => daemon.kill(),
  }
}
