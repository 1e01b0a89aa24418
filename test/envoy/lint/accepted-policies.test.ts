// Policies of Istio that leave nothing out which has to be judged.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { changed, EXPECTED, HOSTS, MANAGER, type Change } from './corpus/case.ts'
import {
  EVERYTHING,
  forHosts,
  forMatches,
  forOtherHosts,
  notForHost,
  policyOf,
} from './corpus/policy.ts'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { found } from './found.ts'

const BOTH = ['api.example.org', 'kube.example.org']

describe('nothing is found with a policy', () => {
  const ACCEPTED: readonly {
    readonly name: string
    readonly rules: readonly object[]
    readonly changes?: readonly Change[]
  }[] = [
    { name: 'for everything', rules: [EVERYTHING] },
    { name: 'for each host, with and without a port', rules: [forHosts(...BOTH)] },
    { name: 'of a rule for each host', rules: BOTH.map((name) => forHosts(name)) },
    {
      name: 'for all hosts that end so',
      rules: [forMatches({ suffix: '.example.org' }, { contains: '.example.org:' })],
    },
    { name: 'for all hosts but one that is not here', rules: [notForHost('shop.example.org')] },
    {
      name: 'for all hosts but one that is not here, by a header that is inverted',
      rules: [forOtherHosts('shop.example.org')],
    },
    {
      name: 'for hosts in capitals, which is the same',
      rules: [forHosts(...BOTH.map((name) => name.toUpperCase()))],
    },
    {
      name: 'for hosts without a port, where Envoy takes it off first',
      rules: [forMatches(...BOTH.map((exact) => ({ exact })))],
      changes: [[`${MANAGER}.strip_any_host_port`, true]],
    },
    {
      name: 'for hosts without a port, where no route takes one with it',
      rules: [forMatches(...BOTH.map((exact) => ({ exact })))],
      changes: [[`${MANAGER}.route_config.ignore_port_in_host_matching`, false]],
    },
    {
      name: 'that leaves out a host which forwards nothing',
      rules: [forHosts(...BOTH)],
      changes: [
        [
          `${HOSTS}[3]`,
          {
            name: 'elsewhere',
            domains: ['elsewhere.example.org'],
            routes: [{ match: { prefix: '/' }, redirect: { https_redirect: true } }],
          },
        ],
      ],
    },
  ]
  for (const { name, rules, changes = [] } of ACCEPTED) {
    it(`reports nothing about a policy ${name}`, () => {
      const text = JSON.stringify(changed([...changes, ...policyOf(rules)]))
      assert.deepEqual(found(text, { expected: EXPECTED }), [])
    })
  }
})

describe('a virtual host for many names', () => {
  it('selects the hosts of a policy, so that other hosts are a gap', () => {
    const text = JSON.stringify(
      changed([[`${HOSTS}[1].domains`, ['*.example.org']], ...policyOf([forHosts(...BOTH)])]),
    )
    assert.deepEqual(
      found(text, { expected: EXPECTED }).map(({ rule }) => rule),
      ['policy-leaves-gap'], // any other host of that pattern gets to the same cluster
    )
  })

  it('takes none that another virtual host takes before it', () => {
    const shop = [
      `${HOSTS}[0].routes`,
      [{ match: { prefix: '/' }, route: { cluster: 'countersign:signer', timeout: '0s' } }],
    ] as const
    const text = JSON.stringify(changed([shop, ...policyOf([forHosts(...BOTH)])]))
    const result = lint(text)
    assert.ok(result.ok)
    assert.deepEqual(
      result.findings.map(({ rule, problem }) => `${rule} ${problem.split('; ')[1]}`),
      ['forgeable-trailers undefined', 'judged-by-policy not for *, *:PORT'],
    )
  })

  it('takes those of countersign.yaml, which have to be judged', () => {
    const changes: readonly Change[] = [
      [`${HOSTS}[1].domains`, ['*.example.org']],
      ...policyOf([forHosts('kube.example.org')]),
    ]
    const rules = (hosts: readonly string[]): readonly string[] =>
      found(JSON.stringify(changed(changes)), {
        expected: { ...EXPECTED, hosts: new Set(hosts) },
      }).map(({ rule }) => rule)
    assert.deepEqual(rules(['api.example.org']), ['policy-leaves-gap', 'judged-by-policy'])
    assert.deepEqual(rules(['kube.example.org', '*']), ['judged-by-policy'])
  })
})
