// Preloaded into a Countersign process: its time is that of the machine, until its parent has some pass.

import { z } from 'zod'

const messageSchema = z.object({
  minutes: z.number(),
  /** The wall clock alone jumps, as when an administrator sets it. */
  jumps: z.boolean().default(false),
})

const MINUTE = 60_000

const Clock = Date
const monotonic = performance.now.bind(performance)
let ahead = 0
let set = 0

const now = (): number => Clock.now() + ahead + set

globalThis.Date = new Proxy(Clock, {
  construct: (target, given: readonly unknown[], subclass) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, subclass),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})
performance.now = () => monotonic() + ahead

process.on('message', (message) => {
  const { minutes, jumps } = messageSchema.parse(message)
  if (jumps) set += minutes * MINUTE
  else ahead += minutes * MINUTE
  process.send?.({ passed: true })
})
