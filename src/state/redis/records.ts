// Records in Redis: a hash for each, with its text and the sets it stands in, and a sorted set for each
// index, with the time at which each of its keys ends. Sets are found through records, so all of it has
// to be on one server.

import type { RecordStore, StoredRecord } from '../record-store.ts'
import { listOf, NUMBERS, SERVER_CLOCK } from './lua.ts'
import { scriptOf, type Sender } from './sender.ts'

// PTTL is 0 in the last millisecond, in which the server still shows what has ended.
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

local function write(key, member, text, lifetime, sets)
  local before = setsOf(key)
  redis.call('HSET', key, 't', text, 's', cjson.encode(sets))
  redis.call('PEXPIRE', key, whole(lifetime))
  leave(before, member)
  join(sets, member, lifetime)
end

local function sets()
  local given = {}
  for index = 2, #KEYS do given[index - 1] = KEYS[index] end
  return given
end
`

// KEYS: the record, its sets. ARGV: what stands for it in sets, text, lifetime.
const PUT = scriptOf(`${RECORDS}
write(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), sets())
`)

const ADD = scriptOf(`${RECORDS}
if left(KEYS[1]) > 0 then return 0 end
write(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), sets())
return 1
`)

// KEYS: the record. ARGV: as above, and the text before.
const REPLACE = scriptOf(`${RECORDS}
if left(KEYS[1]) <= 0 or redis.call('HGET', KEYS[1], 't') ~= ARGV[4] then return 0 end
write(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), setsOf(KEYS[1]))
return 1
`)

const GET = scriptOf(`
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then return false end
return {redis.call('HGET', KEYS[1], 't'), left}
`)

// KEYS: the record. ARGV: what stands for it in sets.
const TAKE = scriptOf(`${RECORDS}
local rest = left(KEYS[1])
local text = redis.call('HGET', KEYS[1], 't')
leave(setsOf(KEYS[1]), ARGV[1])
redis.call('DEL', KEYS[1])
return rest > 0 and {text, rest}
`)

// KEYS: records. ARGV: what stands for each in sets.
const REMOVE = scriptOf(`${RECORDS}
for index, key in ipairs(KEYS) do
  leave(setsOf(key), ARGV[index])
  redis.call('DEL', key)
end
`)

// KEYS: the set. ARGV: what keys of records begin with.
const KEYS_IN = scriptOf(`${RECORDS}
local found = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. whole(now()), '+inf')) do
  if left(ARGV[1] .. member) > 0 then found[#found + 1] = member end
end
return found
`)

/** A {@link RecordStore} that all processes share that reach one server. */
export class RedisRecords implements RecordStore {
  readonly #sender: Sender
  readonly #records: string
  readonly #sets: string

  /** @param prefix of all keys */
  constructor(sender: Sender, prefix: string) {
    this.#sender = sender
    this.#records = `${prefix}record:`
    this.#sets = `${prefix}set:`
  }

  async put(key: string, record: StoredRecord, indexes: readonly string[] = []): Promise<void> {
    const { text, lifetime } = record
    await this.#sender.run('put', PUT, this.#keysOf(key, indexes), [key, text, lifetime])
  }

  async add(key: string, record: StoredRecord, indexes: readonly string[] = []): Promise<boolean> {
    const { text, lifetime } = record
    const args = [key, text, lifetime]
    return (await this.#sender.run('add', ADD, this.#keysOf(key, indexes), args)) === 1
  }

  async replace(key: string, before: string, { text, lifetime }: StoredRecord): Promise<boolean> {
    const args = [key, text, lifetime, before]
    return (await this.#sender.run('replace', REPLACE, this.#keysOf(key), args)) === 1
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return recordOf(await this.#sender.run('get', GET, this.#keysOf(key)))
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    return recordOf(await this.#sender.run('take', TAKE, this.#keysOf(key), [key]))
  }

  async remove(keys: readonly string[]): Promise<void> {
    const records = keys.map((key) => `${this.#records}${key}`)
    await this.#sender.run('remove', REMOVE, records, keys)
  }

  async keysIn(index: string): Promise<readonly string[]> {
    const set = `${this.#sets}${index}`
    return listOf(await this.#sender.run('keysIn', KEYS_IN, [set], [this.#records])).map(String)
  }

  #keysOf(key: string, indexes: readonly string[] = []): readonly string[] {
    return [`${this.#records}${key}`, ...indexes.map((index) => `${this.#sets}${index}`)]
  }
}

const recordOf = (reply: unknown): StoredRecord | undefined => {
  if (reply === null) return undefined
  const [text, lifetime] = listOf(reply)
  return { text: String(text), lifetime: Number(lifetime) }
}
