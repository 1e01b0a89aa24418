// Reads a configuration with so many rules and tells the CPU time of each step, in milliseconds: in a
// process of its own, for what has run before runs faster.
//
// node read-rules.ts SHAPE COUNT

import { parseDocument } from 'yaml'
import { compilePolicy } from '../../src/authorize/policy.ts'
import { parseConfig } from '../../src/configuration/parse.ts'
import { configurationWith } from '../policy/configuration.ts'
import { operationsOf, SHAPES } from '../policy/shapes.ts'

const [, , name, count = '1000'] = process.argv
const shape = SHAPES.find((candidate) => candidate.name === name)
if (shape === undefined) throw new TypeError(`there is no shape "${name}"`)

const text = configurationWith(shape.rules(Number(count)), 'authz.sock').replace(
  '  - name: app',
  `  - name: app\n    kind: ${shape.kind ?? 'http'}`,
)
const operations = shape.operations === true ? operationsOf(Number(count)) : undefined

const timed = <T>(step: () => T): { readonly value: T; readonly ms: number } => {
  const before = process.threadCpuUsage()
  const value = step()
  const { user, system } = process.threadCpuUsage(before)
  return { value, ms: (user + system) / 1_000 }
}

const parsed = timed(() => parseConfig('/etc/countersign.yaml', text))
if (!parsed.value.ok) throw new TypeError(JSON.stringify(parsed.value.problems.slice(0, 3)))
const [route] = parsed.value.config.routes
if (route === undefined) throw new TypeError('there is no route')
const { authorize, kind } = route
const compiled = timed(() =>
  compilePolicy(authorize, {
    kind,
    operations,
    report(path, message) {
      throw new TypeError(`${path.join('.')}: ${message}`)
    },
  }),
)
// Of what was parsed, the part of YAML: by now it runs faster, so less than it was.
const yaml = timed(() => parseDocument(text, { uniqueKeys: false, merge: false }).toJS())
console.log(
  JSON.stringify({ bytes: text.length, parse: parsed.ms, yaml: yaml.ms, compile: compiled.ms }),
)
