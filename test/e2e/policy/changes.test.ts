// The decisions after rules change: a reload takes effect, a broken one does not, and the effect of
// a valid one is foretold. Steps are in README.md.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { eventually, type Site } from '../site.ts'
import { caseOf, CASES, decisionOn, NEXT_RULES, RULES, startRulesSite, verdictIn } from './rules.ts'
import { replay } from './tools.ts'

const GALAXY = resolve(import.meta.dirname, '../../fixtures/openapi/scalar-galaxy-3.1.yaml')

const lineSchema = z.object({ event: z.string(), problems: z.array(z.string()).optional() })

/** What the rules came to, as `replay` compares it. */
const outcomeOf = ({ decision, reason, rule }: DecisionEvent) =>
  rule === undefined ? { decision, reason } : { decision, reason, rule }

describe('changes of rules, through Envoy', { skip: skipWithoutEnvoy(), timeout: 120_000 }, () => {
  let folder: TemporaryFolder
  let description: string
  let site: Site
  before(async () => {
    folder = await temporaryFolder()
    description = folder.file('galaxy.yaml')
    await writeFile(description, await readFile(GALAXY, 'utf8'))
    site = await startRulesSite(description)
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** The configuration with other rules, by route. */
  const withRules = async (
    rules: Readonly<Record<string, readonly unknown[]>>,
  ): Promise<string> => {
    const config = z
      .looseObject({ routes: z.array(z.looseObject({ name: z.string() })) })
      .parse(parse(await readFile(site.files.config, 'utf8')))
    config.routes = config.routes.map((route) => ({
      ...route,
      ...(rules[route.name] === undefined ? {} : { authorize: rules[route.name] }),
    }))
    return stringify(config)
  }

  /** The problems of each configuration that was refused, oldest first. */
  const rejections = async (): Promise<readonly (readonly string[])[]> =>
    (await readFile(site.files.audit, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => lineSchema.parse(JSON.parse(line)))
      .flatMap(({ event, problems = [] }) => (event === 'configuration-rejected' ? [problems] : []))

  const BROKEN: readonly {
    readonly name: string
    readonly rules: Readonly<Record<string, readonly unknown[]>>
    readonly problem: RegExp
  }[] = [
    {
      name: 'a misspelt variable',
      rules: {
        api: [
          ...RULES.slice(0, 2),
          { allow: 'typo', paths: ['/a/{owner}'], when: 'request.segment.owner == identity.user' },
        ],
      },
      problem: /routes\[0\]\.authorize\[2\]\.when.*segment/,
    },
    {
      name: 'a path parameter that no path has',
      rules: {
        api: [{ allow: 'typo', paths: ['/a/{owner}'], when: 'request.segments.user == "a"' }],
      },
      problem: /routes\[0\]\.authorize\[0\]\.when.*user/,
    },
    {
      name: 'an operation that the document lacks',
      rules: { planets: [{ allow: 'look', operations: ['getPlanets'] }] },
      problem: /routes\[1\]\.authorize\[0\]\.operations.*"getPlanets" is not an operation/,
    },
    {
      name: 'a Kubernetes rule on another route',
      rules: { api: [{ allow: 'pods', resources: ['pods'] }] },
      problem: /routes\[0\]\.authorize\[0\]\.resources/,
    },
  ]

  /** Makes a change that must be refused; the one problem that audit tells. */
  const refusedAfter = async (change: () => Promise<void>): Promise<string> => {
    const known = (await rejections()).length
    const { generation } = await decisionOn(site, caseOf('/public/legacy/a'))
    await change()
    const all = await eventually(rejections, ({ length }) => length > known)
    const [problems = []] = all.slice(known)
    assert.equal(problems.length, 1, problems.join('\n'))
    for (const path of ['/files/alice/a/b', '/files/bob/a', '/planets/3']) {
      const event = await decisionOn(site, caseOf(path))
      assert.equal(verdictIn(event), caseOf(path).want)
      assert.equal(event.generation, generation)
    }
    return problems[0] ?? ''
  }

  /** Puts the good text back, and waits until it is in force. */
  const restore = async (file: string, good: string): Promise<void> => {
    const { generation } = await decisionOn(site, caseOf('/public/legacy/a'))
    await writeFile(file, good)
    await eventually(
      async () => (await decisionOn(site, caseOf('/public/legacy/a'))).generation,
      (now) => now > generation,
    )
  }

  for (const { name, rules, problem } of BROKEN) {
    it(`11. with ${name}: the configuration is refused, and the rules stay`, async () => {
      const { config } = site.files
      const good = await readFile(config, 'utf8')
      const broken = await withRules(rules)
      const report = await refusedAfter(() => writeFile(config, broken))
      assert.match(report, problem)
      assert.match(report, /countersign\.yaml:\d+:\d+/)
      await restore(config, good)
    })
  }

  it('11. of the document that lack an operation: refused until it is back', async () => {
    const good = await readFile(description, 'utf8')
    const without = good.replace('operationId: getPlanet\n', 'operationId: showPlanet\n')
    assert.notEqual(without, good)
    const report = await refusedAfter(() => writeFile(description, without))
    assert.match(report, /routes\[1\]\.authorize\[0\]\.operations.*"getPlanet" is not an operation/)
    await restore(description, good)
  })

  /** Asks each once; what was decided, in the same order. */
  const decideAll = async (): Promise<readonly DecisionEvent[]> => {
    const events: DecisionEvent[] = []
    for (const one of CASES) {
      events.push(await decisionOn(site, one))
    }
    return events
  }

  /** A file in the folder of the configuration, which finds the same files from there. */
  const beside = (name: string): string => join(dirname(site.files.config), name)

  /** The log of these decisions alone. */
  const logOf = async (events: readonly DecisionEvent[]): Promise<string> => {
    const ids = new Set(events.map(({ id }) => id))
    const lines = (await readFile(site.files.audit, 'utf8')).split('\n')
    const wanted = lines.filter((line) => line !== '' && ids.has(JSON.parse(line).id))
    await writeFile(beside('some.jsonl'), `${wanted.join('\n')}\n`)
    return beside('some.jsonl')
  }

  it('12. are predicted by replay, decision by decision', async () => {
    const then = await decideAll()
    const next = await withRules({ api: NEXT_RULES })
    await writeFile(beside('next.yaml'), next)
    const replayed = await replay(await logOf(then), beside('next.yaml'))
    assert.equal(replayed.exit, 1)

    await writeFile(site.files.config, next)
    await eventually(
      async () => verdictIn(await decisionOn(site, caseOf('/public/legacy/a'))),
      (verdict) => verdict === '403 rule-denied soon',
    )
    const now = await decideAll()
    const changes = then.flatMap((event, index) => {
      const [was, is] = [event, now[index] ?? event].map(outcomeOf)
      return isDeepStrictEqual(was, is) ? [] : [{ id: event.id, before: was, after: is }]
    })
    assert.deepEqual(replayed.changes, changes)
    // One for each rule that decides otherwise; an answer with another text is not a change.
    assert.deepEqual(
      changes.map(({ after: is }) => [is?.reason, is?.rule].join(' ')),
      [
        'no-rule ',
        'permitted beta-testers',
        'permitted office',
        'permitted office',
        'rule-denied soon',
      ],
    )
    // What these depend on is in a header, and headers are not in the log.
    assert.deepEqual(
      replayed.undetermined,
      then.flatMap(({ path, id }) => (path === '/odd' ? [id] : [])),
    )
  })
})
