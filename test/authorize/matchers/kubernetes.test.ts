// Attributes of a Kubernetes request. An `allow` takes what is written; a `deny` also what reaches it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RuleConfig } from '../../../src/authorize/schema.ts'
import { decide } from '../../fakes/decide.ts'

/** `METHOD PATH`, matched by an `allow`, by a `deny`, by both or by neither. */
interface Case {
  readonly rule: Partial<RuleConfig>
  readonly both?: readonly string[]
  readonly allowOnly?: readonly string[]
  readonly denyOnly?: readonly string[]
  readonly neither?: readonly string[]
}

const NS = '/api/v1/namespaces'

const CASES: readonly Case[] = [
  {
    rule: { verbs: ['get', 'list'] },
    both: [`GET ${NS}/a/pods`, `GET ${NS}/a/pods/x`, 'GET /version'],
    neither: [`GET ${NS}/a/pods?watch=1`, `POST ${NS}/a/pods`, 'POST /version'],
  },
  {
    rule: { verbs: ['get', 'list', 'watch'] },
    both: [`GET ${NS}/a/pods/x/log`, `GET ${NS}/a/services/x/portforward`],
    denyOnly: [
      `GET ${NS}/a/pods/x/exec`,
      `GET ${NS}/a/pods/x/attach`,
      `GET ${NS}/a/pods/x/portforward`,
    ],
    neither: [`POST ${NS}/a/pods/x/exec`],
  },
  {
    rule: { verbs: ['create'], resources: ['pods/exec'] },
    both: [`POST ${NS}/a/pods/x/exec`],
    denyOnly: [`GET ${NS}/a/pods/x/exec`],
    neither: [`GET ${NS}/a/pods/x/log`, 'GET /apis/x.org/v1/namespaces/a/pods/x/exec'],
  },
  {
    rule: { verbs: ['get', 'create'], resources: ['pods/exec'] },
    both: [`GET ${NS}/a/pods/x/exec`, `POST ${NS}/a/pods/x/exec`],
  },
  { rule: { verbs: ['*'] }, both: [`GET ${NS}/a/pods`, `PURGE ${NS}/a/pods`, 'GET /'] },
  {
    rule: { verbs: ['deletecollection'] },
    both: [`DELETE ${NS}/a/pods`],
    neither: [`DELETE ${NS}/a/pods/x`],
  },
  {
    rule: { apiGroups: ['apps', '*.example.org'] },
    both: ['GET /apis/apps/v1/deployments', 'GET /apis/x.example.org/v1/things/y'],
    neither: [
      'GET /api/v1/pods',
      'GET /apis/apps',
      'GET /apis/example.org/v1/things',
      'GET /version',
    ],
  },
  {
    rule: { apiGroups: [''] },
    both: ['GET /api/v1/pods'],
    neither: ['GET /apis/apps/v1/deployments', 'GET /version', 'GET /api'],
  },
  {
    rule: { resources: ['secrets'] },
    both: [
      `GET ${NS}/a/secrets`,
      `GET ${NS}/a/secrets/x`,
      'GET /api/v1/secrets',
      'GET /apis/x.org/v1/secrets',
    ],
    denyOnly: [`GET ${NS}/a/secrets/x/status`],
    neither: [`GET ${NS}/a/pods`, `GET ${NS}/secrets`, 'GET /secrets', 'GET /'],
  },
  {
    rule: { resources: ['pods/exec', 'pods/log'] },
    both: [`POST ${NS}/a/pods/x/exec`, `GET ${NS}/a/pods/x/log`],
    neither: [
      `GET ${NS}/a/pods/x`,
      `GET ${NS}/a/pods`,
      `POST ${NS}/a/pods/x/attach`,
      `POST ${NS}/a/jobs/x/exec`,
    ],
  },
  {
    rule: { resources: ['pods/*'] },
    both: [`POST ${NS}/a/pods/x/exec`],
    neither: [`GET ${NS}/a/pods/x`, `GET ${NS}/a/pods`],
  },
  {
    rule: { resources: ['*'] },
    both: [`GET ${NS}/a/pods`],
    denyOnly: [`POST ${NS}/a/pods/x/exec`],
    neither: ['GET /version', 'GET /api/v1'],
  },
  {
    rule: { resources: ['*/scale'] },
    both: ['PUT /apis/apps/v1/namespaces/a/deployments/x/scale'],
    neither: [`GET ${NS}/a/pods`],
  },
  {
    rule: { namespaces: ['kube-system', 'prod-*'] },
    both: [
      `GET ${NS}/kube-system/pods`,
      `GET ${NS}/prod-a/pods/x`,
      `GET ${NS}/kube-system`,
      `PUT ${NS}/prod-a/status`,
    ],
    denyOnly: [
      'GET /api/v1/pods',
      'GET /api/v1/pods?watch=true',
      'DELETE /api/v1/pods',
      `GET ${NS}`,
    ],
    neither: [`GET ${NS}/default/pods`, 'GET /api/v1/nodes/x', 'GET /version', `POST ${NS}`],
  },
  {
    rule: { namespaces: [''] },
    both: ['GET /api/v1/pods', 'GET /api/v1/nodes/x'],
    neither: [`GET ${NS}/a/pods`, 'GET /version'],
  },
  {
    rule: { names: ['admin', 'ca-*'] },
    both: [
      `GET ${NS}/a/secrets/admin`,
      `DELETE ${NS}/a/secrets/ca-1`,
      // A list of one: the API server takes the name out of the selector.
      `GET ${NS}/a/secrets?fieldSelector=metadata.name%3Dadmin`,
    ],
    denyOnly: [
      `GET ${NS}/a/secrets`,
      `GET ${NS}/a/secrets?watch=1`,
      `DELETE ${NS}/a/secrets`,
      'GET /api/v1/secrets?labelSelector=a%3Db',
    ],
    neither: [
      `GET ${NS}/a/secrets/other`,
      `GET ${NS}/a/secrets?fieldSelector=metadata.name%3Dother`,
      `POST ${NS}/a/secrets`,
      'GET /version',
    ],
  },
  {
    // In the name of a proxied pod or service, scheme and port are not part of the object's name.
    rule: { names: ['web'] },
    both: [`GET ${NS}/a/services/web/proxy/`],
    denyOnly: [
      `GET ${NS}/a/services/web:80/proxy/x`,
      `GET ${NS}/a/services/web:/proxy`,
      `POST ${NS}/a/services/https:web:8443/proxy/x`,
      `GET ${NS}/a/pods/http:web:/proxy`,
      'GET /api/v1/nodes/:web:10250/proxy/pods',
      'GET /api/v1/proxy/nodes/web:10250/pods',
    ],
    neither: [
      `GET ${NS}/a/services/other:80/proxy`,
      `GET ${NS}/a/services/web:other:80/proxy`,
      `GET ${NS}/a/services/https:other:web/proxy`,
      `GET ${NS}/a/services/web:80`,
      `GET ${NS}/a/services/web:80/status`,
    ],
  },
  {
    rule: {
      verbs: ['get', 'list', 'watch'],
      resources: ['secrets'],
      namespaces: ['prod'],
      names: ['db'],
    },
    both: [`GET ${NS}/prod/secrets/db`],
    denyOnly: [
      `GET ${NS}/prod/secrets`,
      'GET /api/v1/secrets',
      'GET /api/v1/secrets?watch=1',
      `GET ${NS}/prod/secrets/db/x`,
    ],
    neither: [`GET ${NS}/dev/secrets/db`, `DELETE ${NS}/prod/secrets`, `GET ${NS}/prod/pods/db`],
  },
]

const ask = (effect: 'allow' | 'deny', rule: Partial<RuleConfig>, line: string): boolean => {
  const [method = '', path = ''] = line.split(' ')
  const word = decide(
    [{ [effect]: 'match', ...rule }],
    { request: { method, path } },
    { kind: 'kubernetes' },
  )
  return word === `${effect}:match`
}

describe('matchers of a Kubernetes request', () => {
  for (const { rule, both = [], allowOnly = [], denyOnly = [], neither = [] } of CASES) {
    for (const [lines, allow, deny] of [
      [both, true, true],
      [allowOnly, true, false],
      [denyOnly, false, true],
      [neither, false, false],
    ] as const) {
      for (const line of lines) {
        it(`${JSON.stringify(rule)}: ${line}`, () => {
          assert.equal(ask('allow', rule, line), allow, 'allow')
          assert.equal(ask('deny', rule, line), deny, 'deny')
        })
      }
    }
  }

  it('match for a deny whatever they match for an allow', () => {
    for (const { rule, allowOnly } of CASES)
      assert.equal(allowOnly, undefined, JSON.stringify(rule))
  })
})

describe('a deny of reading secrets', () => {
  const HOSTILE = [
    'GET /api/v1/secrets',
    `GET ${NS}/prod/secrets/`,
    `GET ${NS}/prod/secrets/db/`,
    `GET ${NS}/prod/secrets?watch=true`,
    `GET /api/v1/watch/namespaces/prod/secrets`,
    `GET /api/v1/watch/secrets`,
    `GET ${NS}/prod/%73ecrets`,
    `HEAD ${NS}/prod/secrets/db`,
    `GET ${NS}/prod/secrets?fieldSelector=metadata.namespace%3Dprod`,
    `PURGE ${NS}/prod/secrets`,
  ]
  for (const line of HOSTILE) {
    it(`matches ${line}`, () => {
      const [method = '', path = ''] = line.split(' ')
      const rules = [{ deny: 'no-secrets', resources: ['secrets'] }, { allow: 'rest' }]
      assert.equal(
        decide(rules, { request: { method, path } }, { kind: 'kubernetes' }),
        'deny:no-secrets',
      )
    })
  }
})
