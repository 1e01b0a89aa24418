// Attempts in Redis: what fails in one process counts in all. The counting is that of
// attempt-count.ts in Lua, since it has to happen where the counts are.

import {
  PENDING,
  type AttemptStore,
  type Claim,
  type KnownNote,
  type Note,
  type Receipt,
  type Settlement,
  type Taking,
} from '../attempt-store.ts'
import { listOf, NUMBERS, SERVER_CLOCK } from './lua.ts'
import { scriptOf, type Script, type Sender } from './sender.ts'

// PEXPIRE takes no more than what added to the time is an int64.
const LONGEST = 1e15

// ARGV has CLAIM numbers for each key: binding, part, attempts, backOff, lockAfter, lockFor, forget.
const COUNTING = `${NUMBERS}
local time = now()

local function counter(key)
  local found = redis.call('HMGET', key, 'c', 'f', 'u')
  if not found[1] then return nil end
  local clean, forget, wait = tonumber(found[1]), tonumber(found[2]), tonumber(found[3])
  if math.max(clean, wait) <= time then return nil end
  return {clean = clean, forget = forget, wait = wait}
end

local function keep(key, clean, forget, wait)
  local ends = math.max(clean, wait)
  if ends <= time then
    redis.call('DEL', key)
    return
  end
  redis.call('HSET', key, 'c', exact(math.max(clean, time)), 'f', exact(forget), 'u', exact(wait))
  redis.call('PEXPIRE', key, whole(math.min(ends - time, ${LONGEST})))
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
    forget = tonumber(ARGV[index + 7]),
  }
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
  return failures, clean - from, till
end
`

// KEYS: counters. ARGV: a claim for each.
const TAKE = `${COUNTING}
local waits, waiting = {'wait'}, false
for index, key in ipairs(KEYS) do
  local before = paceAt((index - 1) * 7).binding and counter(key)
  local wait = before and math.max(0, before.wait - time) or 0
  waits[index + 1] = exact(wait)
  waiting = waiting or wait > 0
end
if waiting then return waits end
local taken = {'taken'}
for index, key in ipairs(KEYS) do
  local failures, added, till = count(key, paceAt((index - 1) * 7), ${PENDING})
  taken[index + 1] = {exact(failures), exact(added), exact(till)}
end
return taken
`

// KEYS: counters. ARGV: a claim for each, then whether it has failed, how many others are forgotten,
// and what the receipt says: added, until.
const SETTLE = `${COUNTING}
local function pardon(key, others, added, till)
  local before = counter(key)
  if not before then return {'0', '0', '0'} end
  local wait = before.wait
  if till > 0 and till == wait then wait = 0 end
  local clean = before.clean - added - others * before.forget
  keep(key, clean, before.forget, wait)
  return {exact(failuresAt(clean, before.forget)), '0', exact(wait)}
end

local settled = {}
for index, key in ipairs(KEYS) do
  local at = (index - 1) * 11
  local added = tonumber(ARGV[at + 10])
  if ARGV[at + 8] == '1' then
    local failures, more, till = count(key, paceAt(at), math.huge)
    settled[index] = {exact(failures), exact(added + more), exact(till)}
  else
    settled[index] = pardon(key, tonumber(ARGV[at + 9]), added, tonumber(ARGV[at + 11]))
  end
end
return settled
`

// KEYS: the note. ARGV: text, lifetime.
const NOTE = `${NUMBERS}
local time = now()
redis.call('HSET', KEYS[1], 't', ARGV[1], 'w', whole(time), 'e', whole(time + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
`

// KEYS: notes.
const RECALL = `
local time = now()
local notes = {}
for index, key in ipairs(KEYS) do
  local found = redis.call('HMGET', key, 't', 'w', 'e')
  notes[index] = found[1] and time < tonumber(found[3]) and {found[1], time - found[2]}
end
return notes
`

/** An {@link AttemptStore} that all processes share that reach one server. */
export class RedisAttempts implements AttemptStore {
  readonly #sender: Sender
  readonly #counters: string
  readonly #notes: string
  readonly #scripts: Readonly<Record<'take' | 'settle' | 'note' | 'recall', Script>>

  /**
   * @param prefix of all keys
   * @param clock what tells scripts the time, in Lua
   */
  constructor(sender: Sender, prefix: string, clock = SERVER_CLOCK) {
    this.#sender = sender
    this.#counters = `${prefix}attempts:`
    this.#notes = `${prefix}note:`
    this.#scripts = {
      take: scriptOf(`${clock}${TAKE}`),
      settle: scriptOf(`${clock}${SETTLE}`),
      note: scriptOf(`${clock}${NOTE}`),
      recall: scriptOf(`${clock}${RECALL}`),
    }
  }

  async take(claims: readonly Claim[]): Promise<Taking> {
    if (claims.length === 0) return { outcome: 'taken', receipts: [] }
    const args = claims.flatMap((claim) => argsOf(claim, claim.weight))
    const reply = await this.#sender.run('attempt', this.#scripts.take, this.#keysOf(claims), args)
    const [outcome, ...rest] = listOf(reply)
    if (outcome === 'wait') return { outcome, waits: rest.map(Number) }
    return { outcome: 'taken', receipts: receiptsOf(claims, rest) }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Receipt[]> {
    if (settlements.length === 0) return []
    const claims = settlements.map(({ receipt }) => receipt.claim)
    const args = settlements.flatMap(({ receipt: { claim, added, until }, failures }) => {
      const others = Math.min(MANY, Math.max(0, -failures))
      return [...argsOf(claim, 1 - claim.weight), failures > 0 ? 1 : 0, others, added, until]
    })
    const { settle } = this.#scripts
    return receiptsOf(
      claims,
      listOf(await this.#sender.run('settle', settle, this.#keysOf(claims), args)),
    )
  }

  async note({ key, text, lifetime }: Note): Promise<void> {
    const { note } = this.#scripts
    await this.#sender.run('note', note, [`${this.#notes}${key}`], [text, lifetime])
  }

  async recall(keys: readonly string[]): Promise<readonly (KnownNote | undefined)[]> {
    if (keys.length === 0) return []
    const { recall } = this.#scripts
    const notes = keys.map((key) => `${this.#notes}${key}`)
    return listOf(await this.#sender.run('recall', recall, notes)).map((found) => {
      if (found === null) return undefined
      const [text, age] = listOf(found)
      return { text: String(text), age: Number(age) }
    })
  }

  #keysOf(claims: readonly Claim[]): readonly string[] {
    return claims.map(({ key }) => `${this.#counters}${key}`)
  }
}

// More than any counter holds; Lua reads no "Infinity".
const MANY = 1e9

const argsOf = ({ pace, binding }: Claim, part: number): readonly number[] => {
  const { attempts, backOff, lockAfter, lockFor, forget } = pace
  return [binding ? 1 : 0, part, attempts, backOff, lockAfter, lockFor, forget]
}

const receiptsOf = (claims: readonly Claim[], replies: readonly unknown[]): readonly Receipt[] =>
  claims.map((claim, index) => {
    const [failures = 0, added = 0, until = 0] = listOf(replies[index]).map(Number)
    return { claim, failures, added, until }
  })
