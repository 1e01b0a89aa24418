// A real OpenLDAP on free ports, with TLS from a CA of its own, and the entries of openldap-data.ts.

import { existsSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { findProgram } from '../../src/runtime/child.ts'
import { Daemon, runProgram } from './daemon.ts'
import { freePort } from './ports.ts'
import { ldifReplace } from './ldif.ts'
import {
  ADMIN,
  openLdapConfig,
  openLdapEntries,
  PEOPLE,
  type OpenLdapSettings,
} from './openldap-data.ts'
import { createAuthority, type Authority, type KeyPair } from './pki.ts'
import { temporaryFolder } from './temporary.ts'

/** A running slapd. */
export interface OpenLdap extends AsyncDisposable {
  /** `ldap://`, at 127.0.0.1. */
  readonly port: number
  /** `ldaps://`; the certificate is for `localhost`, `ldap.example.org` and 127.0.0.1. */
  readonly tlsPort: number
  readonly authority: Authority
  /** A client certificate of the same CA. */
  readonly client: KeyPair
  /** Changes entries, as the administrator. */
  modify(ldif: string): Promise<void>
  start(): Promise<void>
  /** Ends it at once, without a word to its clients. */
  kill(): Promise<void>
  /** Suspends it, and resumes it: its ports stay open and nothing answers. */
  pause(): void
  resume(): void
}

/** Where distributions put what only the administrator runs. */
const PLACES = ['/usr/sbin/slapd', '/usr/libexec/slapd', '/usr/local/libexec/slapd']

const findSlapd = (): string | undefined =>
  findProgram('slapd') ?? PLACES.find((path) => existsSync(path))

const MISSING =
  'no slapd and ldapadd on this machine: "sudo sh scripts/test-servers.sh" installs them'

/**
 * For `skip` of node:test: the reason to skip tests that need OpenLDAP, or `false` where there is
 * one. Throws where `CI` is `true`: there a missing server is a fault and not a reason.
 */
export const skipWithoutSlapd = (): string | false => {
  if (findSlapd() !== undefined && findProgram('ldapadd') !== undefined) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** Starts slapd, and fills it. */
export const startOpenLdap = async (
  options: Partial<Pick<OpenLdapSettings, 'demandCertificate' | 'demandTls'>> = {},
): Promise<OpenLdap> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const authority = stack.use(await createAuthority('Countersign LDAP test CA'))
  const names = ['localhost', 'ldap.example.org', '127.0.0.1']
  const identity = await authority.issue({ commonName: 'ldap', names, usage: 'server' })
  const client = await authority.issue({ commonName: 'authz', usage: 'client' })
  const config = folder.file('config')
  await Promise.all([config, folder.file('db')].map((path) => mkdir(path)))
  const settings = { demandCertificate: false, demandTls: false, ...options }
  // A copy: Ubuntu's AppArmor lets the installed one read no configuration but the machine's.
  const slapd = folder.file('slapd')
  await copyFile(findSlapd() ?? 'slapd', slapd)
  await runProgram(
    slapd,
    ['-T', 'add', '-n', '0', '-F', config],
    openLdapConfig({ folder: folder.path, identity, ca: authority.ca, ...settings }),
  )
  const [port, tlsPort] = await Promise.all([freePort(), freePort()])
  const socket = `ldapi://${encodeURIComponent(folder.file('ldapi'))}`
  const urls = [`ldap://127.0.0.1:${port}`, `ldaps://127.0.0.1:${tlsPort}`, socket].join(' ')
  const bound = ['-x', '-H', socket, '-D', ADMIN.dn, '-w', ADMIN.password]
  const daemon = stack.use(
    new Daemon({
      // slapd sizes its table of connections by what it may open.
      command: '/bin/sh',
      args: ['-c', 'ulimit -n 1024; exec "$@"', 'sh', slapd, '-d', '0', '-F', config, '-h', urls],
      probe: async () => {
        await runProgram('ldapwhoami', bound)
      },
    }),
  )
  await daemon.start()
  // Not by slapadd: overlays see only what comes over LDAP.
  await runProgram('ldapadd', bound, openLdapEntries())
  const modify = async (ldif: string): Promise<void> => {
    await runProgram('ldapmodify', [...bound, '-e', 'relax'], ldif)
  }
  await modify(ldifReplace(`uid=eve,${PEOPLE}`, { pwdChangedTime: '20010101000000Z' }))
  const owned = stack.move()
  return {
    port,
    tlsPort,
    authority,
    client,
    modify,
    start: () => daemon.start(),
    kill: () => daemon.kill(),
    pause: () => daemon.signal('SIGSTOP'),
    resume: () => daemon.signal('SIGCONT'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
