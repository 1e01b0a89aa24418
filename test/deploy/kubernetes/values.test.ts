// The values of the chart: Helm finds nothing against the chart with those that are right, and refuses
// those that cannot work with a reason.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { onChart, render, skipWithoutHelm, VALUE_SETS } from './rendered.ts'

const SESSIONS = { issuer: { url: 'https://id.example.org', keys: '/k', login: {} } }
const ROUTE = { name: 'api', authenticate: ['staff'], authorize: [{ allow: 'everyone' }] }
const CERTIFICATE = { routes: [{ ...ROUTE, forward: { certificate: { ca: 'kube' } } }] }
const AUTHORITY = { certificate: '/ca.crt', key: 'file:/ca.key', limits: { lifetime: '1h' } }
const AUTHORITIES = { authorities: { kube: AUTHORITY } }
const STAFF = { basic: { realm: 'Example', verify: [{ users: { file: '/users.yaml' } }] } }
const API = {
  bearer: { issuer: 'https://id.example.org', audiences: ['api'], dpop: {} },
}

const REFUSED: readonly { name: string; values: object; want: RegExp }[] = [
  { name: 'an unknown value', values: { replicas: 3 }, want: /'replicas' not allowed/ },
  { name: 'a privileged port', values: { envoy: { port: 443 } }, want: /minimum: got 443, want 1/ },
  {
    name: 'a configuration with the address of authz',
    values: { config: { listen: {} } },
    want: /config\.listen: the chart writes it/,
  },
  {
    name: 'a configuration with the address of the signer',
    values: { signer: { config: { listen: 'unix:/s' } } },
    want: /signer\.config\.listen: the chart writes it/,
  },
  {
    name: 'a route that forwards a certificate without a signer',
    values: { config: CERTIFICATE },
    want: /"api" forwards a certificate; set signer\.enabled/,
  },
  { name: 'a signer without a CA', values: { signer: { enabled: true } }, want: /needs a CA/ },
  {
    name: 'a signer without Envoy',
    values: { signer: { enabled: true, config: AUTHORITIES }, envoy: { enabled: false } },
    want: /the signer is a sidecar of Envoy/,
  },
  {
    name: 'logins with several replicas and state in memory',
    values: { config: SESSIONS },
    want: /set state\.kind to redis/,
  },
  {
    name: 'logins with an autoscaler and state in memory',
    values: { config: SESSIONS, authz: { replicas: 1, autoscaling: { enabled: true } } },
    want: /set state\.kind to redis, or authz\.autoscaling\.maxReplicas to 1/,
  },
  {
    name: 'a state file with several replicas',
    values: { state: { kind: 'sqlite' } },
    want: /with sqlite there is one pod, .* set authz\.replicas to 1/,
  },
  {
    name: 'a state file with an autoscaler',
    values: { state: { kind: 'sqlite' }, authz: { replicas: 1, autoscaling: { enabled: true } } },
    want: /authz\.autoscaling: with state\.kind sqlite there is one pod/,
  },
  {
    name: 'a number of workers in the configuration that is another than that of the chart',
    values: { config: { workers: 4 }, authz: { workers: 2 } },
    want: /config\.workers: it is 4, and authz\.workers, .* is 2; remove it, and set authz\.workers/,
  },
  {
    name: 'a number of workers that follows the CPUs, since Envoy reads it on another machine',
    values: { config: { workers: 'auto' } },
    want: /config\.workers: it is auto, and authz\.workers, .* is 1/,
  },
  {
    name: 'more workers than Envoy has addresses for',
    values: { authz: { workers: 65 } },
    want: /'\/authz\/workers': maximum: got 65, want 64/,
  },
  {
    name: 'workers that each have logins of their own',
    values: { config: SESSIONS, authz: { replicas: 1, workers: 2 } },
    want: /authz\.workers: with state\.kind memory each worker would have its own logins, codes and sessions/,
  },
  {
    name: 'workers that each count failed passwords',
    values: { config: { authenticators: { staff: STAFF } }, authz: { workers: 2 } },
    want: /authz\.workers: .* failed passwords and lock-outs \(config\.authenticators\.staff\)/,
  },
  {
    name: 'workers that each remember DPoP proofs',
    values: { config: { authenticators: { api: API } }, authz: { workers: 2 } },
    want: /authz\.workers: .* used DPoP proofs \(config\.authenticators\.api\)/,
  },
  {
    name: 'a port of the last worker that does not exist',
    values: { authz: { workers: 4, port: 65_533 } },
    want: /authz\.port: there is no port 65536 .* set it to 65532 or less/,
  },
  {
    name: 'a port of a worker that is also that of the metrics',
    values: { authz: { workers: 4, adminPort: 9003 } },
    want: /authz\.adminPort: 9003 is a port of the workers, which have 9001 to 9004/,
  },
  {
    name: 'ports of the issuer that are also those of ext_authz',
    values: {
      config: { issuer: { url: 'https://id.example.org', keys: '/k' } },
      authz: { workers: 3, issuerPort: 8999 },
    },
    want: /authz\.port: 9001 is a port of the workers, which have 8999 to 9001 \(authz\.issuerPort\)/,
  },
  {
    name: 'an autoscaler whose least number is greater than its greatest',
    values: { envoy: { autoscaling: { enabled: true, minReplicas: 7 } } },
    want: /envoy\.autoscaling: minReplicas is greater .* set maxReplicas to 7/,
  },
  {
    name: 'an autoscaler that measures nothing',
    values: { authz: { autoscaling: { enabled: true, cpuPercent: null } } },
    want: /authz\.autoscaling: nothing is measured; set cpuPercent/,
  },
  {
    name: 'a grace period that ends before Envoy stops to use the pod',
    values: { authz: { terminationGracePeriodSeconds: 15 } },
    want: /authz\.terminationGracePeriodSeconds: .* set it to more than 15/,
  },
  {
    name: 'an existing service account without a name',
    values: { authz: { serviceAccount: { create: false } } },
    want: /authz\.serviceAccount\.name: .* must name a ServiceAccount that exists/,
  },
  {
    name: 'a PodMonitor that no network policy lets read the metrics',
    values: { monitoring: { podMonitor: { enabled: true } } },
    want: /monitoring\.podMonitor: .* list Prometheus in networkPolicy\.metrics/,
  },
  {
    name: 'a ServiceMonitor that no network policy lets read the metrics',
    values: { monitoring: { serviceMonitor: { enabled: true } } },
    want: /monitoring\.serviceMonitor: .* list Prometheus in networkPolicy\.metrics/,
  },
  {
    name: 'a PodMonitor and a ServiceMonitor, which read every metric twice',
    values: {
      monitoring: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } },
      networkPolicy: { metrics: [{ podSelector: {} }] },
    },
    want: /monitoring\.serviceMonitor: .* set one of them to false/,
  },
  {
    name: 'a lifetime of certificates in days, which cert-manager does not read',
    values: { certManager: { edge: { duration: '90d' } } },
    want: /'\/certManager\/edge\/duration': '90d' does not match pattern/,
  },
  {
    name: 'a login page without TLS',
    values: { config: SESSIONS, state: { kind: 'redis' }, authz: { tls: { enabled: false } } },
    want: /config\.issuer\.login: .* set authz\.tls\.enabled to true/,
  },
  {
    name: 'TokenReview without the role',
    values: { config: { authenticators: { pods: { tokenReview: { inCluster: true } } } } },
    want: /authenticators\.pods .* set apiServer\.tokenReview to true/,
  },
  {
    name: 'SubjectAccessReview without the role',
    values: { config: { routes: [{ ...ROUTE, apiServer: { inCluster: true } }] } },
    want: /"api" queries .* set apiServer\.subjectAccessReview to true/,
  },
  {
    name: 'impersonation without a list of users or groups',
    values: { apiServer: { impersonation: { enabled: true } } },
    want: /list the users and groups/,
  },
  {
    name: 'impersonation of administrators',
    values: { apiServer: { impersonation: { enabled: true, groups: ['system:masters'] } } },
    want: /members of system:masters have every right/,
  },
  {
    name: 'a prepared Envoy bootstrap with a plaintext connection to authz',
    values: { envoy: { bootstrap: 'x' }, authz: { tls: { enabled: false } } },
    want: /plaintext connection to authz does not pass/,
  },
]

describe('the chart', { skip: skipWithoutHelm() }, () => {
  for (const { name, values, want } of REFUSED) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(render({ values }), want)
    })
  }

  for (const [name, values] of Object.entries(VALUE_SETS)) {
    it(`is accepted by helm lint --strict, with ${name}`, async () => {
      assert.match(await onChart(['lint', '--strict'], values), /1 chart\(s\) linted, 0 chart/)
    })
  }
})
