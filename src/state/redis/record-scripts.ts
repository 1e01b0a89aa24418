// The scripts of records in Redis. A record is a hash: its text (t), the sets that contain it (s), and for a kind with
// a quota its room (q) and its size there (b). A room is a sorted set of its records, "BYTES MEMBER", by their ends;
// their number and total size are stored in addition.

import { BOUNDED, countLater, NUMBERS, SERVER_CLOCK } from './lua.ts'
import { scriptOf } from './sender.ts'

// PTTL is 0 in the last millisecond, in which the server still returns a record that has ended.
const RECORDS = `${SERVER_CLOCK}${NUMBERS}
local function left(key) return redis.call('PTTL', key) end

local function setsOf(key)
  local listed = redis.call('HGET', key, 's')
  return listed and cjson.decode(listed) or {}
end

local function leave(sets, member)
  for _, set in ipairs(sets) do redis.call('ZREM', set, member) end
end

local function join(sets, member, lifetime)
  local time = now()
  for _, set in ipairs(sets) do
    redis.call('ZADD', set, whole(time + lifetime), member)
    redis.call('ZREMRANGEBYSCORE', set, '-inf', whole(time))
    if left(set) < lifetime then redis.call('PEXPIRE', set, whole(lifetime)) end
  end
end

local function usageOf(room)
  local found = redis.call('HMGET', room .. ':usage', 'n', 'b')
  return tonumber(found[1] or 0), tonumber(found[2] or 0)
end

local function count(room, entries, bytes)
  local n, b = usageOf(room)
  redis.call('HSET', room .. ':usage', 'n', whole(n + entries), 'b', whole(b + bytes))
end

local function forget(room, listed)
  if redis.call('ZREM', room, listed) == 1 then
    count(room, -1, -tonumber(string.match(listed, '^%d+')))
  end
end

local function placeOf(key)
  local found = redis.call('HMGET', key, 'q', 'b')
  return {room = found[1] or '', bytes = found[2]}
end

local function release(place, member)
  if place.room ~= '' then forget(place.room, place.bytes .. ' ' .. member) end
end

local function drop(key, member)
  leave(setsOf(key), member)
  release(placeOf(key), member)
  redis.call('DEL', key)
end
`

// The size of a record besides its texts (measured): in the hash, in the room, and in each set.
const ENTRY = 400
const MEMBERSHIP = 150

// KEYS: the record, its sets. ARGV: its member in sets, text, lifetime, the prefix of keys of records, the rooms, its
// kind, the text before. They return the outcome, and how many records were evicted.
const WRITING = `${RECORDS}
local KEY, MEMBER, TEXT, LIFETIME = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local PREFIX, ROOMS, KIND = ARGV[4], cjson.decode(ARGV[5]), ARGV[6]

local function roomOf(field, value)
  for _, room in ipairs(ROOMS) do
    if room[field] == value then return room end
  end
end

local function givenSets()
  local given = {}
  for index = 2, #KEYS do given[index - 1] = KEYS[index] end
  return given
end

local function listed(room, till, most)
  return redis.call('ZRANGEBYSCORE', room.name, '-inf', till, 'LIMIT', '0', most)
end

-- The number of records that were dropped; false where there is no room.
local function makeRoom(room, bytes)
  for _, ended in ipairs(listed(room, whole(now()), '100')) do forget(room.name, ended) end
  local dropped = 0
  while true do
    local n, b = usageOf(room.name)
    if n < room.entries and b + bytes <= room.bytes then return dropped end
    if not room.yields then return false end
    local first = listed(room, '+inf', '1')[1]
    if not first then
      redis.call('DEL', room.name .. ':usage')
      return dropped
    end
    local member = string.match(first, '^%d+ (.*)$')
    if left(PREFIX .. member) > 0 then dropped = dropped + 1 end
    forget(room.name, first)
    drop(PREFIX .. member, member)
  end
end

local function write(sets, room)
  local before, place, dropped = setsOf(KEY), placeOf(KEY), 0
  local bytes = #TEXT + 2 * #MEMBER + ${ENTRY} + ${MEMBERSHIP} * #sets
  if room then
    if bytes > room.bytes then return {'full', 0} end
    count(room.name, 0, 0) -- the first that is written: refused where the server has no memory
    if room.yields then release(place, MEMBER) end
    dropped = makeRoom(room, bytes)
    if not dropped then return {'full', 0} end
  end
  local name = room and room.name or ''
  redis.call('HSET', KEY, 't', TEXT, 's', cjson.encode(sets), 'q', name, 'b', whole(bytes))
  redis.call('PEXPIRE', KEY, whole(LIFETIME))
  release(place, MEMBER)
  if room then
    redis.call('ZADD', room.name, whole(now() + LIFETIME), whole(bytes) .. ' ' .. MEMBER)
    count(room.name, 1, bytes)
  end
  leave(before, MEMBER)
  join(sets, MEMBER, LIFETIME)
  return {'written', dropped}
end
`

/** Replaces the record. */
export const PUT = scriptOf(`${WRITING}
return write(givenSets(), roomOf('kind', KIND))
`)

/** Writes if there is no record. */
export const ADD = scriptOf(`${WRITING}
if left(KEY) > 0 then return {'there', 0} end
return write(givenSets(), roomOf('kind', KIND))
`)

/** Writes if the text is unchanged. */
export const REPLACE = scriptOf(`${WRITING}
if left(KEY) <= 0 or redis.call('HGET', KEY, 't') ~= ARGV[7] then return {'changed', 0} end
return write(setsOf(KEY), roomOf('name', placeOf(KEY).room))
`)

/** KEYS: the record. */
export const GET = scriptOf(
  `${BOUNDED}
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then return false end
return {bounded(redis.call('HGET', KEYS[1], 't')), left}
`,
  'reads',
)

/** KEYS: the record. ARGV: its member in sets. */
export const TAKE = scriptOf(`${RECORDS}${BOUNDED}
local rest = left(KEYS[1])
local text = redis.call('HGET', KEYS[1], 't')
drop(KEYS[1], ARGV[1])
return rest > 0 and {bounded(text), rest}
`)

/** KEYS: records. ARGV: the member of each in sets. */
export const REMOVE = scriptOf(`${RECORDS}
for index, key in ipairs(KEYS) do drop(key, ARGV[index]) end
`)

/**
 * The most records of one set. More are an error, and never truncated: a revocation would be incomplete. The largest
 * set has all sessions; a name has 43 bytes.
 */
const MOST_MEMBERS = 250_000
const MOST_NAME_BYTES = 64 * MOST_MEMBERS

/** KEYS: sets. */
export const COUNT = scriptOf(countLater(SERVER_CLOCK), 'asks')

/** KEYS: the set. ARGV: the prefix of keys of records. */
export const KEYS_IN = scriptOf(
  `${RECORDS}
local found, bytes = {}, 0
local time = '(' .. whole(now())
local members = redis.call('ZRANGEBYSCORE', KEYS[1], time, '+inf', 'LIMIT', '0', '${MOST_MEMBERS + 1}')
if #members > ${MOST_MEMBERS} then error('a set of more than ${MOST_MEMBERS} names') end
for _, member in ipairs(members) do
  bytes = bytes + #member
  if bytes > ${MOST_NAME_BYTES} then error('a set with names of more than ${MOST_NAME_BYTES} bytes') end
  if left(ARGV[1] .. member) > 0 then found[#found + 1] = member end
end
return found
`,
  'reads',
)
