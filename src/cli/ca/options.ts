// Options that the commands for certificates share, and what their values may be.

import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { decodeGeneralNames, encodeGeneralNames, nameFault } from '../../x509/general-names.ts'
import { KEY_KINDS, type KeyKind } from './keys.ts'
import type { Subtree } from './name-constraints.ts'

/** Options of everything that makes a key. */
export interface KeyOptions {
  readonly out: string
  readonly key: KeyKind
  readonly force?: true
}

/** Options for the contents of a certificate or a request. */
export interface NameOptions {
  readonly name?: string
  readonly dns?: readonly string[]
  readonly ip?: readonly string[]
  readonly spiffe?: string
  readonly user?: string
  readonly group?: readonly string[]
  readonly uid?: string
}

/** `--out`, `--key` and `--force`. */
export const withKeyOptions = (command: Command, files: string): Command =>
  command
    .requiredOption('-o, --out <dir>', `the folder for ${files}; made if it is not there`, absolute)
    .addOption(new Option('--key <kind>', 'the kind of key').choices(KEY_KINDS).default('ec-p256'))
    .option('--force', 'replace files that are there already')

/** `--as`, the base name of the files. */
export const fileNameOption = (name: string): Option =>
  new Option('--as <name>', 'what the files are called, without their extensions')
    .argParser(parseFileName)
    .default(name)

/** `--ca`. */
export const withAuthorityOption = (command: Command): Command =>
  command.requiredOption(
    '--ca <dir>',
    'the folder of the CA that signs, with ca.pem and ca.key',
    absolute,
  )

/** `--days`. */
export const daysOption = (otherwise: string): Option =>
  new Option('--days <number>', `how long it is valid; default: ${otherwise}`).argParser(parseDays)

/** Names of servers. */
export const withServerNames = (command: Command): Command =>
  command
    .option('--dns <name>', 'a DNS name, also with "*." in front; repeat it for more', collectDns)
    .option('--ip <address>', 'an IP address; repeat it for more', collectIp)

/** Names of clients. */
export const withClientNames = (command: Command): Command =>
  command
    .option('--user <name>', 'the user: the CN of the subject', parseText)
    .option('--group <name>', 'a group: an O of the subject; repeat it for more', collectText)
    .option('--uid <uid>', 'the UID of the subject: a stable identifier of the user', parseText)

/** Names of either. */
export const withOtherNames = (command: Command): Command =>
  command.option(
    '--spiffe <uri>',
    'a SPIFFE ID, such as spiffe://example.org/ns/dev/sa/ci',
    parseSpiffe,
  )

/** The options that say which names a CA may sign for. */
export const withNameConstraints = (command: Command): Command =>
  command
    .option(
      '--permit-dns <domain>',
      'sign for this domain and what is below it, and for no other domain and no IP address; repeat it for more',
      collectDomain,
    )
    .option(
      '--permit-uri <host>',
      'sign for URIs of this host or SPIFFE trust domain, with "." in front for all below it, and for no other URI; repeat it for more',
      collectHost,
    )

/** A path, made absolute. */
export function absolute(path: string): string {
  return resolve(path)
}

/** A text that an attribute of a subject may hold. */
export function parseText(text: string): string {
  if (text === '' || text.trim() !== text || /\p{Cc}/u.test(text) || !text.isWellFormed()) {
    throw new InvalidArgumentError('must be text without control characters or space at its ends')
  }
  return text
}

/** A number of CAs. */
export function parsePathLength(text: string): number {
  if (!/^\d$/.test(text)) throw new InvalidArgumentError('must be a number from 0 to 9')
  return Number(text)
}

function parseDays(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) {
    throw new InvalidArgumentError('must be a number of days from 1 to 99999')
  }
  return Number(text)
}

function parseFileName(text: string): string {
  if (!/^[A-Za-z0-9_][\w.-]{0,63}$/.test(text)) {
    throw new InvalidArgumentError('must be 1 to 64 letters, digits, ".", "_" or "-"')
  }
  return text
}

// https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md §2
const SPIFFE = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)*$/

function parseSpiffe(text: string): string {
  if (!SPIFFE.test(text) || text.length > 2_048 || /\/\.\.?(?:\/|$)/.test(text)) {
    throw new InvalidArgumentError('must be a SPIFFE ID such as spiffe://example.org/workload')
  }
  return text
}

type Previous<T> = readonly T[] | undefined

function collectText(text: string, before: Previous<string>): readonly string[] {
  return [...(before ?? []), parseText(text)]
}

function collectDns(text: string, before: Previous<string>): readonly string[] {
  if (nameFault('dns', text) !== undefined || isIP(text) !== 0) {
    throw new InvalidArgumentError(
      'must be a DNS name in ASCII such as api.example.org or *.example.org',
    )
  }
  return [...(before ?? []), text.toLowerCase()]
}

function collectIp(text: string, before: Previous<string>): readonly string[] {
  if (nameFault('ip', text) !== undefined) {
    throw new InvalidArgumentError('must be an IPv4 or IPv6 address, without a zone')
  }
  // One spelling of each address, which is that of certificates read back.
  const [name] = decodeGeneralNames(encodeGeneralNames([{ kind: 'ip', value: text }]))
  return [...(before ?? []), name?.value ?? text]
}

function collectDomain(text: string, before: Previous<Subtree>): readonly Subtree[] {
  if (nameFault('dns', text) !== undefined || text.startsWith('*') || isIP(text) !== 0) {
    throw new InvalidArgumentError('must be a domain such as example.org, without "*." or "."')
  }
  return [...(before ?? []), { kind: 'dns', value: text.toLowerCase() }]
}

function collectHost(text: string, before: Previous<Subtree>): readonly Subtree[] {
  const host = text.replace(/^\./, '')
  if (nameFault('dns', host) !== undefined || host.startsWith('*') || isIP(host) !== 0) {
    throw new InvalidArgumentError('must be a host such as example.org, or .example.org')
  }
  return [...(before ?? []), { kind: 'uri', value: text.toLowerCase() }]
}
