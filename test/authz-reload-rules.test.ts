// A configuration with a thousand rules is replaced while checks are in flight: each gets the answer
// of the old rules or of the new, and none waits for long.
//
// Slow: it reads a configuration with a thousand rules eleven times.

import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { configurationWith } from '../bench/policy/configuration.ts'
import { SHAPES, type Rules } from '../bench/policy/shapes.ts'
import { startAuthz, type Authz } from '../src/authz.ts'
import { cpuTime } from './fakes/cpu-time.ts'
import { basic } from './fakes/envoy.ts'
import { EnvoyClient, messageOf } from './fakes/envoy-client.ts'
import { cheapHash } from './fakes/hashes.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const CALLERS = 8
const COUNT = 1_000
const shape = SHAPES.find(({ name }) => name === 'by path, each with "when"')
assert.ok(shape !== undefined)
const allowing = shape.rules(COUNT)

/** The same rules, each of which refuses. */
const refusing: Rules = allowing.map(({ allow = '', ...rule }) => ({ deny: allow, ...rule }))

const MESSAGE = messageOf({
  path: '/service-500/acme/items/7',
  headers: [['authorization', basic('alice', 'first')]],
})

/** Never a half-written file. */
const put = async (folder: TemporaryFolder, rules: Rules): Promise<void> => {
  const file = folder.file('countersign.yaml')
  await writeFile(`${file}.new`, configurationWith(rules, 'authz.sock'))
  await rename(`${file}.new`, file)
}

const start = async (folder: TemporaryFolder): Promise<Authz> => {
  const hash = await cheapHash('first')
  await writeFile(
    folder.file('users.yaml'),
    `users: { alice: { password: '${hash}', groups: [acme] } }\n`,
  )
  await put(folder, allowing)
  return await startAuthz(folder.file('countersign.yaml'))
}

interface Answer {
  /** CPU time of this thread, which is the server's too: the machine may be busy with other work. */
  readonly at: number
  readonly allow: boolean
}

/** Asks again and again; what is not answered, or refused for anything but a rule, throws. */
const call = async (authz: Authz, answers: Answer[], signal: AbortSignal): Promise<void> => {
  using client = new EnvoyClient(authz.address)
  while (!signal.aborted) {
    const outcome = await client.check(MESSAGE)
    if (!outcome.allow) assert.equal(outcome.status, 'Forbidden', outcome.body)
    answers.push({ at: cpuTime(), allow: outcome.allow })
  }
}

const longestPause = (answers: readonly Answer[], from: number): number => {
  const times = [from, ...answers.map(({ at }) => at).filter((at) => at > from)]
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))
}

describe(`a reload of ${COUNT} rules`, () => {
  it('drops no check, and has no check wait for long', async (t) => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    const storm = new AbortController()
    const answers: Answer[] = []
    const callers = Array.from({ length: CALLERS }, () => call(authz, answers, storm.signal))
    let allow = true
    for (let round = 1; round <= 5; round++) {
      const enough = answers.length + 200
      while (answers.length < enough) await new Promise((resolve) => setTimeout(resolve, 5))
      allow = !allow
      await put(folder, allow ? allowing : refusing)
      const began = cpuTime()
      await authz.reload()
      const inForce = cpuTime() - began
      const seen = answers.length
      while (answers.length < seen + 200) await new Promise((resolve) => setTimeout(resolve, 5))
      // Checks that were on their way when the rules came into force may have the old answer.
      const late = answers.slice(seen + CALLERS)
      assert.ok(
        late.every((answer) => answer.allow === allow),
        'an old answer after the reload',
      )
      const pause = longestPause(answers, began)
      t.diagnostic(
        `round ${round}: in force after ${inForce.toFixed(0)} ms, longest pause ${pause.toFixed(0)} ms`,
      )
      // Several times what it takes on a machine with nothing else to do.
      assert.ok(inForce < 1_500, `${inForce} ms`)
      assert.ok(pause < 1_000, `${pause} ms`)
    }
    storm.abort()
    await Promise.all(callers)
    assert.ok(answers.some((answer) => answer.allow) && answers.some((answer) => !answer.allow))
  })
})
