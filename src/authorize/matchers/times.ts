// The matcher of the time of a request.

import type { RuleConfig, TimeConfig } from '../schema.ts'
import type { Matcher } from '../matcher.ts'

/** The matcher `times`. */
export const timesMatcher = (wanted: NonNullable<RuleConfig['times']>): Matcher => {
  const stretches = wanted.map(compileTime)
  return {
    key: 'times',
    wanted,
    test: ({ at }) => stretches.some((holds) => holds(at)),
    got: ({ at }) => new Date(at).toISOString(),
  }
}

const compileTime = ({
  days,
  from,
  to,
  timeZone,
  since,
  until,
}: TimeConfig): ((at: number) => boolean) => {
  const begins = since === undefined ? -Infinity : Date.parse(since)
  const ends = until === undefined ? Infinity : Date.parse(until)
  const isDay = (day: number): boolean => days === undefined || days.includes(dayName(day))
  const first = minutesOf(from ?? '00:00')
  const last = minutesOf(to ?? '24:00')
  const clock = wallClock(timeZone)
  return (at) => {
    if (at < begins || at >= ends) return false
    const { day, minute } = clock(at)
    if (first < last) return isDay(day) && minute >= first && minute < last
    // Over midnight: what is left of the stretch that began the day before counts too.
    return (isDay(day) && minute >= first) || (isDay((day + 6) % 7) && minute < last)
  }
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const dayName = (day: number): (typeof DAYS)[number] => DAYS[day] ?? 'mon'

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}

interface WallTime {
  /** 0 is Monday. */
  readonly day: number
  /** Since midnight, by the clock on the wall: on the days that clocks change, none or twice. */
  readonly minute: number
}

// A formatter takes a while to make and a lot of memory, and many rules are about the same zone.
const clocks = new Map<string, (at: number) => WallTime>()

const wallClock = (zone: string): ((at: number) => WallTime) => {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const clock = makeWallClock(zone)
  clocks.set(zone, clock)
  return clock
}

/** The local time in a zone. Every request needs it, and it changes once a minute. */
const makeWallClock = (zone: string): ((at: number) => WallTime) => {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  let minuteRead = Number.NaN
  let read: WallTime = { day: 0, minute: 0 }
  return (at) => {
    const minute = Math.floor(at / 60_000)
    if (minute === minuteRead) return read
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
    const weekday = (parts.get('weekday') ?? '').toLowerCase()
    read = {
      day: DAYS.findIndex((name) => name === weekday),
      minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
    }
    minuteRead = minute
    return read
  }
}
