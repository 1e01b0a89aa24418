// The scripts of attempts in Redis: the counting of attempt-count.ts in Lua, which runs where the counters are. What
// unauthenticated clients can fill has a room: a sorted set of its keys by their ends, and their number. The keys
// expire by themselves; the room shows when there are too many.

import { PENDING } from '../attempt-store.ts'
import { BOUNDED, countLater, NUMBERS } from './lua.ts'
import { scriptOf, type Script } from './sender.ts'

// PEXPIRE requires that its argument and the time add up to an int64.
const LONGEST = 1e15

// The first write must be a command that the server refuses without memory: HSET is, and ZREM is not.
const ROOM = `${NUMBERS}
local time = now()

local function setEntries(room, n) redis.call('HSET', room .. ':usage', 'n', whole(n)) end
local function entriesOf(room) return tonumber(redis.call('HGET', room .. ':usage', 'n') or 0) end

local function outlive(key, lifetime)
  if redis.call('PTTL', key) < lifetime then redis.call('PEXPIRE', key, whole(lifetime)) end
end

-- Of a key that has just been written.
local function enter(room, key, lifetime)
  if redis.call('ZADD', room, whole(time + lifetime), key) == 1 then
    setEntries(room, entriesOf(room) + 1)
  end
  outlive(room, lifetime)
  outlive(room .. ':usage', lifetime)
end

local function leave(room, key)
  if redis.call('ZREM', room, key) == 0 then return end
  local n = entriesOf(room) - 1
  if n > 0 then setEntries(room, n) else redis.call('DEL', room .. ':usage') end
end

-- Whether so many more may be there.
local function fits(room, more, most)
  local n = entriesOf(room)
  if n + more <= most then return true end
  setEntries(room, n)
  n = n - redis.call('ZREMRANGEBYSCORE', room, '-inf', whole(time))
  if #redis.call('ZRANGEBYSCORE', room, '-inf', '+inf', 'LIMIT', '0', '1') == 0 then n = 0 end
  setEntries(room, n)
  return n + more <= most
end
`

// ARGV has 8 values for each key: binding, part, attempts, backOff, lockAfter, lockFor, forget, the kind of its lock-outs.
const countingIn = (prefix: string): string => `${ROOM}
local COUNTERS = '${prefix}room:attempts'

local function counter(key)
  local found = redis.call('HMGET', key, 'c', 'f', 'u')
  if not found[1] then return nil end
  local clean, forget, wait = tonumber(found[1]), tonumber(found[2]), tonumber(found[3])
  if math.max(clean, wait) <= time then return nil end
  return {clean = clean, forget = forget, wait = wait}
end

local function keep(key, clean, forget, wait)
  local lifetime = math.min(math.max(clean, wait) - time, ${LONGEST})
  if lifetime <= 0 then
    redis.call('DEL', key)
    leave(COUNTERS, key)
    return
  end
  redis.call('HSET', key, 'c', exact(math.max(clean, time)), 'f', exact(forget), 'u', exact(wait))
  redis.call('PEXPIRE', key, whole(lifetime))
  enter(COUNTERS, key, lifetime)
end

local function failuresAt(clean, forget)
  return math.max(0, math.ceil((clean - time) / forget))
end

local function waitAfter(failures, pace)
  if failures >= pace.lockAfter then return pace.lockFor end
  if failures < pace.attempts then return 0 end
  return math.min(pace.lockFor, pace.backOff * 2 ^ (failures - pace.attempts))
end

local function paceAt(index)
  return {
    binding = ARGV[index + 1] == '1', part = tonumber(ARGV[index + 2]),
    attempts = tonumber(ARGV[index + 3]), backOff = tonumber(ARGV[index + 4]),
    lockAfter = tonumber(ARGV[index + 5]), lockFor = tonumber(ARGV[index + 6]),
    forget = tonumber(ARGV[index + 7]), kind = ARGV[index + 8],
  }
end

-- The lock-outs of a kind by their ends, for metrics. Without an end: the key has none.
local function mark(kind, key, till)
  if kind == '' then return end
  local set = '${prefix}lockouts:' .. kind
  if not till then return redis.call('ZREM', set, key) end
  redis.call('ZADD', set, whole(till), key)
  redis.call('ZREMRANGEBYSCORE', set, '-inf', whole(time))
  outlive(set, math.min(till - time, ${LONGEST}))
end

local function count(key, pace, longest)
  local before = counter(key)
  local from = math.max(before and before.clean or 0, time)
  local most = math.max(from, time + pace.lockAfter * pace.forget)
  local clean = math.min(from + math.floor(pace.part * pace.forget + 0.5), most)
  local failures = failuresAt(clean, pace.forget)
  local wait = pace.binding and math.min(longest, waitAfter(failures, pace)) or 0
  local till = wait > 0 and time + wait or 0
  local kept = before and before.wait or 0
  if pace.binding then kept = till end
  keep(key, clean, pace.forget, kept)
  if till > 0 and failures >= pace.lockAfter then mark(pace.kind, key, till)
  elseif pace.binding and before and before.wait > 0 then mark(pace.kind, key) end
  return failures, clean - from, till
end
`

// KEYS: counters. ARGV: a claim for each. A wait lasts also when the room is full.
const takeIn = (prefix: string, most: number): string => `${countingIn(prefix)}
local waits, waiting = {'wait'}, false
for index, key in ipairs(KEYS) do
  local before = paceAt((index - 1) * 8).binding and counter(key)
  local wait = before and math.max(0, before.wait - time) or 0
  waits[index + 1] = exact(wait)
  waiting = waiting or wait > 0
end
if waiting then return waits end
if not fits(COUNTERS, #KEYS, ${most}) then
  local more = 0
  for _, key in ipairs(KEYS) do
    if not counter(key) then more = more + 1 end
  end
  if more > 0 and not fits(COUNTERS, more, ${most}) then return {'full'} end
end
local taken = {'taken'}
for index, key in ipairs(KEYS) do
  local failures, added, till = count(key, paceAt((index - 1) * 8), ${PENDING})
  taken[index + 1] = {exact(failures), exact(added), exact(till)}
end
return taken
`

// KEYS: counters. ARGV: a claim for each, then whether it has failed, how many further failures are forgotten, and the
// added and until of the receipt.
const settleIn = (prefix: string): string => `${countingIn(prefix)}
local function pardon(key, kind, others, added, till)
  local before = counter(key)
  if not before then return {'0', '0', '0'} end
  local wait = before.wait
  local ended = till > 0 and till == wait
  if ended then wait = 0 end
  local clean = before.clean - added - others * before.forget
  keep(key, clean, before.forget, wait)
  if ended then mark(kind, key) end
  return {exact(failuresAt(clean, before.forget)), '0', exact(wait)}
end

local settled = {}
for index, key in ipairs(KEYS) do
  local at = (index - 1) * 12
  local added = tonumber(ARGV[at + 11])
  if ARGV[at + 9] == '1' then
    local failures, more, till = count(key, paceAt(at), math.huge)
    settled[index] = {exact(failures), exact(added + more), exact(till)}
  else
    settled[index] = pardon(key, ARGV[at + 8], tonumber(ARGV[at + 10]), added, tonumber(ARGV[at + 12]))
  end
end
return settled
`

// KEYS: the note. ARGV: text, lifetime, whether it is retained: notes about authenticated users are.
const noteIn = (room: string, most: number): string => `${ROOM}
local key, text, lifetime, retained = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local isNew = not redis.call('HGET', key, 't')
if isNew and not retained and not fits('${room}', 1, ${most}) then return 'full' end
redis.call('HSET', key, 't', text, 'w', whole(time), 'e', whole(time + lifetime))
redis.call('PEXPIRE', key, whole(lifetime))
if not retained then enter('${room}', key, lifetime) end
return 'written'
`

// KEYS: notes.
const RECALL = `${BOUNDED}
local time = now()
local notes = {}
for index, key in ipairs(KEYS) do
  local found = redis.call('HMGET', key, 't', 'w', 'e')
  notes[index] = found[1] and time < tonumber(found[3]) and {bounded(found[1]), time - found[2]}
end
return notes
`

/** The maximum number of counters, and of notes that are not retained. */
export interface AttemptRooms {
  readonly counters: number
  readonly notes: number
}

/** The scripts of one store. */
export type AttemptScripts = Readonly<
  Record<'take' | 'settle' | 'note' | 'recall' | 'lockOuts', Script>
>

/**
 * Makes the scripts.
 *
 * @param prefix of the rooms
 * @param clock the source of the time, in Lua
 */
export const attemptScripts = (
  prefix: string,
  clock: string,
  { counters, notes }: AttemptRooms,
): AttemptScripts => ({
  take: scriptOf(`${clock}${takeIn(prefix, counters)}`),
  settle: scriptOf(`${clock}${settleIn(prefix)}`),
  note: scriptOf(`${clock}${noteIn(`${prefix}room:notes`, notes)}`),
  recall: scriptOf(`${clock}${RECALL}`, 'reads'),
  lockOuts: scriptOf(countLater(clock), 'asks'),
})
