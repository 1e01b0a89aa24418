// A separate process with a state file: opens it, says so, and follows commands, line by line.

import { createInterface } from 'node:readline'
import { opened, fileSettings } from '../opening.ts'

const [file = ''] = process.argv.slice(2)

const described = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause
    ? `${String(cause.code)}: ${cause.message}`
    : String(cause)

const run = async (): Promise<void> => {
  await using state = await opened(fileSettings(file))
  console.log('opened')
  const { records, keys, attempts } = state.state
  for await (const line of createInterface(process.stdin)) {
    const [what, key = '', count = '1'] = line.split(' ')
    const all = Array.from({ length: Number(count) }, async (_, index) => {
      const record = { text: 'x'.repeat(1_000), kind: 'login', lifetime: 60_000 } as const
      if (what === 'take') return (await records.take(key)) !== undefined
      if (what === 'add') return await records.add(key, record)
      if (what === 'put') return await records.put(`${key}${index}`, record).then(() => true)
      const pace = { attempts: 10, backOff: 60_000, lockAfter: 20, lockFor: 60_000, forget: 60_000 }
      const scope = { key: keys.of(key), pace, binding: true, weight: 1 }
      return (await attempts.take([scope])).outcome === 'taken'
    })
    const results = await Promise.allSettled(all)
    const done = results.filter((each) => each.status === 'fulfilled' && each.value).length
    const failure = results.find(({ status }) => status === 'rejected')
    console.log(failure?.status === 'rejected' ? described(failure.reason) : done)
  }
}

await run().catch((cause: unknown) => {
  console.log(described(cause))
})
