// `countersign debug`: an operator follows the checks of a running authz.

import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { stringify } from 'yaml'
import { startAuthz, type Authz } from '../../src/authz.ts'
import { makeHash } from '../../src/authenticate/password/hash.ts'
import { basic, type RequestParts } from '../fakes/envoy.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'
import { until } from '../fakes/until.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { BackgroundCommand } from '../e2e/background-command.ts'
import { countersign } from './run.ts'

const ROOT = join(import.meta.dirname, '../..')

const CONFIGURATION = {
  version: 1,
  listen: { authz: 'unix:authz.sock', debug: 'unix:debug.sock' },
  authenticators: { staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } } },
  routes: [
    {
      name: 'app',
      authenticate: ['staff'],
      authorize: [{ deny: 'no-admin', paths: ['/admin/**'] }, { allow: 'everyone' }],
      forward: { headers: 'kubernetes' },
    },
  ],
  state: { sqlite: 'state.db' },
  audit: { file: 'audit.jsonl' },
}

describe('countersign debug', () => {
  let folder: TemporaryFolder
  let authz: Authz
  let client: EnvoyClient
  before(async () => {
    folder = await temporaryFolder()
    const password = await makeHash('bcrypt', 'wonderland')
    const users = { alice: { password, groups: ['dev'] }, bob: { password } }
    await writeFile(folder.file('users.yaml'), stringify({ users }))
    await writeFile(folder.file('countersign.yaml'), stringify(CONFIGURATION))
    authz = await startAuthz(folder.file('countersign.yaml'))
    client = new EnvoyClient(authz.address)
  })
  after(async () => {
    client[Symbol.dispose]()
    await authz[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const check = async (user: string, password: string, more: RequestParts = {}): Promise<void> => {
    await client.check({ headers: [['authorization', basic(user, password)]], ...more })
  }

  /** What the command prints about some checks: until it has printed the last of them, whose path is /last. */
  const printed = async (args: string, checks: () => Promise<void>): Promise<string> => {
    const command = `"${process.execPath}" "${ROOT}/src/countersign.ts" debug --socket unix:debug.sock ${args}`
    const environment = { ...process.env, NO_COLOR: '1' }
    await using debug = new BackgroundCommand(command, folder.path, environment)
    await debug.printed('Following until', 'debug')
    await checks()
    await check('alice', 'wonderland', { path: '/last' })
    await debug.printed('/last', 'debug')
    return debug.output
  }

  it('prints what each phase concluded', async () => {
    const output = await printed('', async () => {
      await check('alice', 'wonderland', { path: '/admin/users?token=secret' })
    })
    assert.match(
      output,
      /deny rule-denied {2}GET app\.example\.org\/admin\/users {2}user alice {2}from 203\.0\.113\.7/,
    )
    assert.match(output, /request +[\d.]+ ms route "app"\n/)
    assert.match(output, /authenticate +[\d.]+ ms "staff" proved it\n/)
    assert.match(output, /identity +[\d.]+ ms user "alice", groups dev\n/)
    assert.match(output, /authorize +[\d.]+ ms rule-denied: rule "no-admin"\n/)
    assert.doesNotMatch(output, /wonderland|token=|secret/)
  })

  it('prints requests to other servers below their phase', async () => {
    const output = await printed('', async () => await check('bob', 'wrong'))
    assert.match(
      output,
      /authenticate +[\d.]+ ms "staff" rejected it\n +sqlite \S+ +[\d.]+ ms \S*state\.db\n/,
    )
  })

  it('selects by user, also by a name that no user has, which is never printed', async () => {
    const attempts = async (): Promise<void> => {
      await check('bob', 'wonderland', { path: '/bobs' })
      await check('carol', 'guess', { path: '/carols' })
    }
    const carols = async (): Promise<void> => await check('carol', 'guess', { path: '/last' })
    const ofAlice = await printed('--user alice', attempts)
    assert.doesNotMatch(ofAlice, /bob|carol/)
    const ofCarol = await printed('--user carol', async () => {
      await attempts()
      await carols()
    })
    assert.match(ofCarol, /deny user-unknown {2}GET app\.example\.org\/carols/)
    assert.doesNotMatch(ofCarol, /bob|guess/)
  })

  it('selects by route and network', async () => {
    const elsewhere = async (): Promise<void> =>
      await check('bob', 'wonderland', { path: '/elsewhere', sourceAddress: '198.51.100.1' })
    assert.doesNotMatch(await printed('--source 203.0.113.0/24', elsewhere), /elsewhere/)
    assert.match(await printed('--route app', elsewhere), /elsewhere/)
  })

  it('prints JSON', async () => {
    const output = await printed('--json', async () => await check('bob', 'wrong'))
    const [line = ''] = output.split('\n').filter((text) => text.startsWith('{'))
    const { attributes, parts }: { attributes: object; parts: { name: string }[] } =
      JSON.parse(line)
    assert.partialDeepStrictEqual(attributes, { 'countersign.reason': 'credential-wrong' })
    assert.deepEqual(
      parts.map(({ name }) => name),
      ['request', 'authenticate', 'identity', 'audit'],
    )
  })

  it('refuses what cannot be followed, and further followers', async () => {
    const socketPath = folder.file('debug.sock')
    const statusOf = async (path: string): Promise<number | undefined> => {
      const sent = request({ socketPath, path, agent: false }).end()
      const [response] = await once(sent, 'response')
      open.push(sent)
      return response.statusCode
    }
    const open: ReturnType<typeof request>[] = []
    assert.equal(await statusOf('/follow?source=example.org'), 400)
    assert.equal(await statusOf('/follow?source=10.0.0.0/99'), 400)
    assert.equal(await statusOf('/metrics'), 404)
    for (let follower = 0; follower < 4; follower += 1) {
      assert.equal(await statusOf('/follow'), 200)
    }
    assert.equal(await statusOf('/follow'), 503)
    for (const sent of open) sent.destroy()
    await until(async () => (await statusOf('/follow')) === 200)
    for (const sent of open) sent.destroy()
  })

  it('says what is missing where there is no such socket', async () => {
    const { status, stderr } = await countersign([
      'debug',
      '--socket',
      `unix:${folder.file('none.sock')}`,
    ])
    assert.equal(status, 1)
    assert.match(stderr, /none\.sock: .*Is "listen\.debug" set/)
  })

  it('is a socket for its owner alone', async () => {
    const { mode } = await stat(folder.file('debug.sock'))
    assert.equal(mode & 0o777, 0o600)
  })
})
