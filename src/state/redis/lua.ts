// Shared parts of the scripts that run in Redis. A script is the only way to read and write there in one step; its
// first write must be a command that a server without memory refuses (HSET, SET), since the server refuses no later
// one.

import { CountersignError } from '../../runtime/errors.ts'

/** The time for scripts, in whole milliseconds: the server's, so that clocks of processes need not agree. */
export const SERVER_CLOCK = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`

/** Formats whole numbers: Lua rounds them to 14 digits. */
export const NUMBERS = `
local function whole(number) return string.format('%.0f', number) end
local function exact(number) return string.format('%.17g', number) end
`

/**
 * The longest text in bytes. A session with the tokens of an upstream IdP has some 10 KB; another writer of the server
 * could store 512 MB in its place.
 */
export const LONGEST_TEXT = 4_194_304

/** Keeps values of other writers out of replies; the caller gets the error. */
export const BOUNDED = `
local function bounded(text)
  if text and #text > ${LONGEST_TEXT} then error('a text of ' .. #text .. ' bytes, more than ${LONGEST_TEXT}') end
  return text
end
`

/**
 * How many members of sorted sets end later than now; ZCOUNT takes O(log n). KEYS: the sets. Refused where the user has no
 * `+zcount`, since it is for metrics alone.
 */
export const countLater = (clock: string): string => `${clock}${NUMBERS}
local time, counts = '(' .. whole(now()), {}
for index, key in ipairs(KEYS) do counts[index] = redis.call('ZCOUNT', key, time, '+inf') end
return counts
`

const unreadable = (what: string): CountersignError =>
  new CountersignError('unavailable', `Redis holds ${what}, where a value of ours belongs`)

/**
 * The reply of a script, as a list.
 *
 * @throws CountersignError `unavailable`, like the functions below: another writer can change the values
 */
export const listOf = (reply: unknown): readonly unknown[] => {
  if (Array.isArray(reply)) return reply
  throw unreadable('no list')
}

/** The reply of a script, as text. */
export const textOf = (reply: unknown): string => {
  if (typeof reply === 'string') return reply
  throw unreadable('no text')
}

/** The reply of a script, as a number: Redis has integers only, so other numbers are texts. */
export const numberOf = (reply: unknown): number => {
  const number = typeof reply === 'string' && reply !== '' ? Number(reply) : reply
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw unreadable('no number')
}
