// Reading entries: what an answer means, and the values of an entry.

import type { LdapConnection, OperationLimits } from './connection.ts'
import { DirectoryError } from './failure.ts'
import { guidText, sidText } from './identifiers.ts'
import type { Search } from './requests.ts'
import { RESULT, type Entry } from './responses.ts'

/** Searches on a connection that is bound. */
export type Reader = (search: Search) => Promise<readonly Entry[]>

/**
 * A reader on one connection. A list that the server cut short is an error, except where the search has reached
 * its own limit.
 *
 * @throws DirectoryError for every result but success
 */
export const readerOn =
  (connection: LdapConnection, limits: OperationLimits): Reader =>
  async (search) => {
    const { entries, result } = await connection.search(search, limits)
    if (result.code === RESULT.success) return entries
    const enough = entries.length >= search.atMost
    if (result.code === RESULT.sizeLimitExceeded && enough) return entries
    const busy = result.code === RESULT.busy || result.code === RESULT.unavailable
    throw new DirectoryError(
      busy ? 'busy' : 'answered',
      `${connection.server} ended the search under "${search.base}" for ${search.filter} with result code ${result.code} ${result.diagnostic}`,
    )
  }

/** The only entry that a search finds; `undefined` when there is none. */
export const readOne = async (
  reader: Reader,
  search: Omit<Search, 'atMost'>,
): Promise<Entry | undefined> => {
  const [entry, another] = await reader({ ...search, atMost: 2 })
  if (another === undefined) return entry
  const message = `more than one entry matches ${search.filter} under "${search.base}": ${entry?.dn}; ${another.dn}`
  throw new DirectoryError('ambiguous', message)
}

/**
 * The values of an attribute, as bytes.
 *
 * @throws DirectoryError `entry-unusable` where the server holds back values ([MS-ADTS] 3.1.1.3.1.3.3)
 */
export const valuesOf = (entry: Entry, attribute: string): readonly Buffer[] => {
  const name = attribute.toLowerCase()
  for (const present of entry.attributes.keys()) {
    if (present.startsWith(`${name};range=`) && !present.endsWith('-*')) {
      throw unusable(entry, `has more values of ${attribute} than the server gives at once`)
    }
  }
  return entry.attributes.get(name) ?? []
}

/** The values of an attribute, as text in NFC; Active Directory's identifiers as its tools print them. */
export const textsOf = (entry: Entry, attribute: string): readonly string[] =>
  valuesOf(entry, attribute).map((value) => {
    const text = textOf(attribute.toLowerCase(), value)
    if (text === undefined) throw unusable(entry, `has a value of ${attribute} that is not text`)
    return text
  })

const textOf = (attribute: string, value: Buffer): string | undefined => {
  if (attribute === 'objectguid') return guidText(value)
  if (attribute === 'objectsid') return sidText(value)
  try {
    return UTF8.decode(value).normalize('NFC')
  } catch {
    return undefined
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The error for an entry that yields no identity. */
export const unusable = (entry: Entry, what: string): DirectoryError =>
  new DirectoryError('entry-unusable', `the entry ${entry.dn} ${what}`)
