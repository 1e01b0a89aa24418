// A process that writes audit events and prints the number of each that is acknowledged: without end, or so many; those
// that fail are not printed.

import { writeSync } from 'node:fs'
import { JsonLinesSink } from '../../src/audit/sink.ts'

const [path = '', count = 'Infinity'] = process.argv.slice(2)
const sink = new JsonLinesSink(path === '' ? undefined : path)
const most = Number(count)

/** Some in each turn of the event loop, as under load. */
const TOGETHER = 5

for (let event = 1; event <= most;) {
  const writes: Promise<unknown>[] = []
  for (let one = 0; one < TOGETHER && event <= most; one++, event++) {
    const generation = event
    const written = sink.write({
      event: 'configuration-loaded',
      generation,
      file: `${process.pid}`,
    })
    writes.push(
      written.then(
        () => path !== '' && writeSync(1, `${generation}\n`),
        () => undefined,
      ),
    )
  }
  await Promise.all(writes)
}
sink[Symbol.dispose]()
