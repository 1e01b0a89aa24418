// Other programs: the client libraries of Kubernetes for JavaScript and Python. Steps are in README.md.

import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { python, skipWithoutPythonClient } from '../../servers/kubernetes-python.ts'
import { eventually } from '../site.ts'
import { ask, callerBy, type Caller } from './asking.ts'
import { configOf, kubeconfigOf, useClientNode, type Seen } from './client-node.ts'
import { OUT, CREDENTIALS_OUT } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS } from './users.ts'
import { grant, NAMESPACE } from './roles.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'

const LIMIT = 20_000
const PROGRAM = resolve(import.meta.dirname, 'client.py')

const skip = skipWithoutServers() || skipWithoutPythonClient()

describe('client libraries of Kubernetes', { skip, timeout: 240_000 }, () => {
  let site: KubeSite
  before(async () => {
    site = await startKubeSite()
    const everything = { resources: ['configmaps'], verbs: ['*'] }
    await grant(site.server, 'maps-for-alice', everything, { kind: 'User', name: 'alice' })
    const alice = await callerBy(site, CREDENTIALS_IN['a client certificate'], USERS.alice)
    const list = ['get', 'configmaps', '--namespace', NAMESPACE]
    await eventually(
      () => ask(site, alice, list),
      ({ code }) => code === 0,
      LIMIT,
    )
  })
  after(() => site[Symbol.asyncDispose]())

  const serverAt = (address: string): string => `https://${address}:${site.port}`

  const libraries = {
    'client-node': (caller: Caller, address: string, name: string) =>
      useClientNode(configOf(caller, serverAt(address)), name),
    Python: async (caller: Caller, address: string, name: string): Promise<Seen> => {
      const { file, context } = kubeconfigOf(caller)
      const args = [file, context, serverAt(address), NAMESPACE, name]
      return JSON.parse(await python(PROGRAM, args, { XDG_STATE_HOME: caller.state }))
    },
  } as const

  let made = 0
  const assertWorks = async (
    library: keyof typeof libraries,
    caller: Caller,
    address: string,
  ): Promise<void> => {
    made += 1
    const name = `by-program-${made}`
    const { name: user, groups } = USERS.alice
    assert.deepEqual(await libraries[library](caller, address, name), {
      user,
      groups: [...groups, 'system:authenticated'].toSorted(),
      listed: [name],
      events: [
        ['MODIFIED', 'red'],
        ['DELETED', 'red'],
      ],
    })
  }

  for (const library of ['client-node', 'Python'] as const) {
    for (const [wayName, way] of Object.entries(CREDENTIALS_IN)) {
      it(`28. ${library}, by ${wayName}: authenticates, creates, lists, watches, patches and deletes`, async () => {
        const caller = await callerBy(site, way, USERS.alice)
        await assertWorks(library, caller, CREDENTIALS_OUT['X-Remote-*'])
      })
    }
    for (const [out, address] of OUT) {
      it(`28. ${library} → ${out}: works the same`, async () => {
        const caller = await callerBy(site, CREDENTIALS_IN['a client certificate'], USERS.alice)
        await assertWorks(library, caller, address)
      })
    }
  }
})
