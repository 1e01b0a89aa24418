import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { reloaded } from '../client-certificates/changing.ts'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { readFile } from 'node:fs/promises'
import { cheapHash } from '../../fakes/hashes.ts'
import type { HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw } from '../../servers/raw-client.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { basic, HOST, received, startSite, type Site } from '../site.ts'

const COUNTS = [100, 500, 501, 2_000] as const

const groupsOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `g${String(index).padStart(4, '0')}`)

const userOf = (count: number): string => `in-${count}`

/** A users file of users in many groups. */
const users = async (): Promise<string> => {
  const password = await cheapHash('secret')
  return stringify({
    users: Object.fromEntries(
      COUNTS.map((count) => [userOf(count), { password, groups: groupsOf(count) }]),
    ),
  })
}

const documentSchema = z.looseObject({
  authenticators: z.looseObject({ staff: z.looseObject({}) }),
})

describe('a user in many groups, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  before(async () => {
    folder = await temporaryFolder()
    await writeFile(folder.file('many.yaml'), await users())
    site = await startSite({ verify: [{ users: { file: folder.file('many.yaml') } }] })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** Puts this section `identity` in force. */
  const configure = async (identity: object): Promise<void> => {
    const config = documentSchema.parse(parse(await readFile(site.files.config, 'utf8')))
    config.authenticators.staff['identity'] = identity
    await reloaded(site, async () => {
      await writeFile(site.files.config, stringify(config))
      site.authz.signal('SIGHUP')
    })
  }

  const ask = async (count: number, more: readonly HeaderLine[] = []) => {
    const answer = await sendRaw(site.target, {
      headers: [['Host', HOST], basic(userOf(count), 'secret'), ...more],
    })
    const event = (await site.events()).at(-1)
    return { answer, event }
  }

  for (const count of [100, 500]) {
    it(`forwards ${count} groups, a line each, in their order`, async () => {
      const { answer, event } = await ask(count)
      assert.deepEqual([answer.status, event?.reason], [200, 'permitted'])
      assert.deepEqual(received(answer, 'x-remote-group'), groupsOf(count))
    })
  }

  it('forwards 500 groups next to 45 KB of the caller’s own headers', async () => {
    const { answer } = await ask(500, [['X-Own', 'a'.repeat(45_000)]])
    assert.equal(answer.status, 200)
    assert.equal(received(answer, 'x-remote-group').length, 500)
  })

  for (const count of [501, 2_000]) {
    it(`refuses ${count}, says why, and sends the upstream nothing`, async () => {
      site.upstream.clear()
      const { answer, event } = await ask(count)
      assert.deepEqual([answer.status, event?.reason], [403, 'identity-too-large'])
      assert.match(answer.body, /too many groups/)
      assert.equal(site.upstream.requests.length, 0)
      assert.ok(site.authz.log.includes(`groups: ${count}, where there may be at most 500`))
    })
  }

  it('forwards those of 2,000 groups that `keep` matches', async () => {
    await configure({ groups: { keep: ['g00*'], drop: ['g009*'], prefix: 'k8s:' } })
    const { answer, event } = await ask(2_000)
    assert.deepEqual([answer.status, event?.reason], [200, 'permitted'])
    const want = groupsOf(90).map((group) => `k8s:${group}`)
    assert.deepEqual(received(answer, 'x-remote-group'), want)
    assert.deepEqual(event?.groups, want)
  })

  it('forwards the first of 2,000 groups with truncation, and logs how many were omitted', async () => {
    await configure({ groups: { max: 40, onExcess: 'truncate' } })
    const { answer, event } = await ask(2_000)
    assert.deepEqual([answer.status, event?.reason], [200, 'permitted'])
    assert.deepEqual(received(answer, 'x-remote-group'), groupsOf(40))
    assert.match(site.authz.log, /"groupsOmitted":1960.*"groups omitted"/)
  })
})
