// What the scripts that run in Redis share. A script is the only thing there that reads and writes in
// one step; whatever it writes first must be a command that a server without memory refuses (HSET,
// SET), for once a script has written, nothing more is refused to it.

import { CountersignError } from '../../runtime/errors.ts'

/**
 * Tells scripts the time, in whole milliseconds: the server's, so that clocks of processes need not
 * agree.
 */
export const SERVER_CLOCK = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`

/** Writes numbers out whole: Lua rounds them to 14 digits. */
export const NUMBERS = `
local function whole(number) return string.format('%.0f', number) end
local function exact(number) return string.format('%.17g', number) end
`

/**
 * Bytes of one text. A session with the tokens of an upstream IdP has
 * some 10 KB; another writer of the server can put 512 MB in its place.
 */
export const LONGEST_TEXT = 4_194_304

/** Keeps what is not ours out of answers; the error is what the caller gets. */
export const BOUNDED = `
local function bounded(text)
  if text and #text > ${LONGEST_TEXT} then error('a text of ' .. #text .. ' bytes, more than ${LONGEST_TEXT}') end
  return text
end
`

const unreadable = (what: string): CountersignError =>
  new CountersignError('unavailable', `Redis holds ${what}, where a value of ours belongs`)

/**
 * What a script returned, as a list.
 *
 * @throws CountersignError `unavailable`, as the functions below: another writer can change what is there
 */
export const listOf = (reply: unknown): readonly unknown[] => {
  if (Array.isArray(reply)) return reply
  throw unreadable('no list')
}

/** What a script returned, as text. */
export const textOf = (reply: unknown): string => {
  if (typeof reply === 'string') return reply
  throw unreadable('no text')
}

/** What a script returned, as a number: Redis knows integers alone, so others come as texts. */
export const numberOf = (reply: unknown): number => {
  const number = typeof reply === 'string' && reply !== '' ? Number(reply) : reply
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw unreadable('no number')
}
