// A real Active Directory domain controller, Samba's, on an address of its own in 127.0.0.0/8: its
// ports, 389 and 636, are compiled in.

import { existsSync, readFileSync } from 'node:fs'
import { copyFile, chmod, mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { randomInt } from 'node:crypto'
import { findProgram } from '../../src/runtime/child.ts'
import { Daemon, runProgram } from './daemon.ts'
import { freePort } from './ports.ts'
import { createAuthority, type Authority, type KeyPair } from './pki.ts'
import { AD_ADMIN, domainPolicy, DOMAIN, expiredPassword, sambaEntries } from './samba-ad-data.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary.ts'

/** A running domain controller. */
export interface SambaAd extends AsyncDisposable {
  /** `ldap://ADDRESS` and `ldaps://ADDRESS`; the certificate is for it and for `dc1.example.org`. */
  readonly address: string
  readonly authority: Authority
  /** Changes entries, as the administrator. */
  modify(ldif: string): Promise<void>
  start(): Promise<void>
  kill(): Promise<void>
}

const MISSING =
  'no Samba domain controller on this machine: "sudo sh scripts/test-servers.sh" installs it'
const PROGRAMS = ['ldbmodify', 'ldapadd']
const SAMBA = '/usr/sbin/samba'
// The distribution's own, for which Samba's modules are; another may come first on PATH.
const PYTHON = '/usr/bin/python3'

/**
 * For `skip` of node:test: the reason to skip tests that need Samba, or `false` where there is one.
 * Throws where `CI` is `true`: there a missing server is a fault and not a reason.
 */
export const skipWithoutSamba = (): string | false => {
  const reason =
    [SAMBA, PYTHON].every(existsSync) && PROGRAMS.every(findProgram) ? reasonOfPort() : MISSING
  if (reason !== false && process.env['CI'] === 'true') throw new Error(reason)
  return reason
}

const LDAP_PORT = 389
const FIRST_FREE = '/proc/sys/net/ipv4/ip_unprivileged_port_start'

const reasonOfPort = (): string | false => {
  if (process.platform !== 'linux') return 'Samba is on loopback addresses that only Linux has'
  if (process.getuid?.() === 0) return false
  if (existsSync(FIRST_FREE) && Number(readFileSync(FIRST_FREE, 'utf8')) <= LDAP_PORT) return false
  return `only root may listen on port ${LDAP_PORT}: "sudo sysctl net.ipv4.ip_unprivileged_port_start=${LDAP_PORT}" allows it`
}

/** Provisions a domain (some seconds of CPU time), starts the controller, and fills it. */
export const startSambaAd = async (): Promise<SambaAd> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const authority = stack.use(await createAuthority('Countersign AD test CA'))
  const address = await freeAddress()
  const names = ['dc1.example.org', address]
  const identity = await authority.issue({ commonName: 'dc1', names, usage: 'server' })
  await runProgram(PYTHON, ['-c', PROVISION, folder.path, address])
  await configure(folder, address, identity, authority.ca)
  const bound = ['-x', '-H', `ldaps://${address}`, '-D', AD_ADMIN.name, '-w', AD_ADMIN.password]
  const environment = [`LDAPTLS_CACERT=${authority.ca}`]
  const ask = async (program: string, args: readonly string[], input = ''): Promise<void> => {
    await runProgram('env', [...environment, program, ...bound, ...args], input)
  }
  const daemon = stack.use(
    new Daemon({
      command: SAMBA,
      args: [
        '--interactive',
        '--model=single',
        `--configfile=${folder.file('etc/smb.conf')}`,
        '--debug-stdout',
      ],
      probe: () => ask('ldapsearch', ['-b', '', '-s', 'base', 'dnsHostName']),
    }),
  )
  await daemon.start()
  await ask('ldapmodify', [], domainPolicy())
  await ask('ldapadd', [], sambaEntries())
  const database = folder.file('private/sam.ldb')
  const direct = '--controls=local_oid:1.3.6.1.4.1.7165.4.3.20:0'
  await runProgram('ldbmodify', ['-H', database, direct], expiredPassword())
  const owned = stack.move()
  return {
    address,
    authority,
    modify: (ldif) => ask('ldapmodify', [], ldif),
    start: () => daemon.start(),
    kill: () => daemon.kill(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** An address of the loopback interface on which no server answers. */
const freeAddress = async (): Promise<string> => {
  const address = `127.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(1, 255)}`
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const probe = connect({ host: address, port: LDAP_PORT })
  probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
  const taken = await promise
  probe.destroy()
  return taken ? await freeAddress() : address
}

// Not samba-tool: it sets ACLs on the sysvol share, which needs root and a file system with extended
// attributes; a directory needs neither.
const PROVISION = `
import logging, sys
from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision
folder, address = sys.argv[1:3]
parameters = LoadParm()
parameters.load("/dev/null")
provision(logging.getLogger("provision"), system_session(), smbconf="/dev/null", targetdir=folder,
          realm="${DOMAIN.name.toUpperCase()}", domain="${DOMAIN.netbios}", hostname="dc1",
          hostip=address, serverrole="dc", dns_backend="NONE", adminpass="${AD_ADMIN.password}",
          use_rfc2307=True, skip_sysvolacl=True, dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
          lp=parameters)
`

const configure = async (
  folder: TemporaryFolder,
  address: string,
  identity: KeyPair,
  ca: string,
): Promise<void> => {
  const [kerberos, kpasswd] = await Promise.all([freePort(), freePort()])
  await Promise.all(
    ['run', 'log', 'private/tls'].map((name) => mkdir(folder.file(name), { recursive: true })),
  )
  // Samba refuses a key that other users could read.
  const key = folder.file('private/tls/key.pem')
  await copyFile(identity.key, key)
  await chmod(key, 0o600)
  await writeFile(
    folder.file('etc/smb.conf'),
    `[global]
  netbios name = DC1
  realm = ${DOMAIN.name.toUpperCase()}
  workgroup = ${DOMAIN.netbios}
  server role = active directory domain controller
  server services = ldap, kdc
  interfaces = ${address}/8
  bind interfaces only = yes
  krb5 port = ${kerberos}
  kpasswd port = ${kpasswd}
  private dir = ${folder.file('private')}
  state directory = ${folder.file('state')}
  cache directory = ${folder.file('cache')}
  lock directory = ${folder.path}
  pid directory = ${folder.file('run')}
  ncalrpc dir = ${folder.file('run/ncalrpc')}
  winbindd socket directory = ${folder.file('run/winbindd')}
  ntp signd socket directory = ${folder.file('run/ntp_signd')}
  binddns dir = ${folder.file('bind-dns')}
  log file = ${folder.file('log/log.%m')}
  logging = file
  log level = 1
  tls enabled = yes
  tls certfile = ${identity.certificate}
  tls keyfile = ${key}
  tls cafile = ${ca}
`,
  )
}
