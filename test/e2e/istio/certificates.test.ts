// A certificate of every caller's own for a real API server, behind the delegation hop and from the
// gateway itself. Steps are in README.md.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { blocksTestedBy } from '../../docs/examples/blocks.ts'
import { http1, valuesOf, type Answer, type HeaderLine, type Target } from '../../servers/client.ts'
import { startConnectProxy } from '../../servers/connect-proxy.ts'
import type { Envoy } from '../../servers/envoy.ts'
import { kubectl, type KubectlResult } from '../../servers/kubectl.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { grantEverything } from '../kubernetes/roles.ts'
import { basic, eventually } from '../site.ts'
import { ALICE_BY_TOKEN, PASSWORD } from './configuration.ts'
import { istioFile } from './files.ts'
import { startHop } from './hop.ts'
import { apply, succeed } from './mesh.ts'
import { openChecks, outputsOf } from './page-checks.ts'
import { errorsOf, notTaken } from './taken.ts'
import { HOSTS, skipWithoutServers, startIstioSite, type IstioSite } from './site.ts'

const REVIEWS = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const REVIEW = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })

const reviewSchema = z.object({
  status: z.object({
    userInfo: z.object({ username: z.string(), groups: z.array(z.string()).default([]) }),
  }),
})

const containerSchema = z.object({ name: z.string(), volumeMounts: z.array(z.unknown()) })
const podSchema = z.object({
  initContainers: z.array(containerSchema),
  containers: z.array(containerSchema),
})

const whoIn = (text: string): string => {
  const { username, groups } = reviewSchema.parse(JSON.parse(text)).status.userInfo
  return `${username} of ${groups.filter((group) => !group.startsWith('system:')).join('|')}`
}

const WAYS = {
  'the delegation hop': {
    files: ['envoy-filter.yaml', 'kube-apiserver-by-hop.yaml'],
    cluster: 'outbound|8443||countersign-hop',
    newcomer: 'carol',
  },
  'the gateway itself': {
    files: ['envoy-filter-certificates.yaml', 'kube-apiserver-by-gateway.yaml'],
    cluster: 'outbound|443||kube',
    newcomer: 'dave',
  },
} as const

describe('a certificate of every caller', { skip: skipWithoutServers(), timeout: 180_000 }, () => {
  const stack = new AsyncDisposableStack()
  let site: IstioSite
  let hop: Envoy
  let proxy: string
  before(async () => {
    site = stack.use(await startIstioSite())
    hop = stack.use(await startHop(site))
    proxy = stack.use(await startConnectProxy(site.places.https)).url
    await grantEverything(site.cluster.server, 'ops')
  })
  after(() => stack.disposeAsync())

  /** Runs kubectl at the name that the gateway publishes. */
  const ask = (credential: readonly string[], ...args: readonly string[]): Promise<KubectlResult> =>
    kubectl(
      [
        `--server=https://${HOSTS.kubernetes}`,
        `--certificate-authority=${site.pki.ca}`,
        ...credential,
        ...args,
      ],
      { HTTPS_PROXY: proxy },
    )

  const password = (user: string): readonly string[] => [
    `--username=${user}`,
    `--password=${PASSWORD}`,
  ]

  /** A caller's identity, as the API server reports it. */
  const review = async (headers: readonly HeaderLine[]): Promise<Answer> =>
    await http1(site.target(HOSTS.kubernetes), {
      method: 'POST',
      path: REVIEWS,
      headers: [...headers, ['content-type', 'application/json']],
      body: REVIEW,
    })

  it('is active by the commands of the pages', async () => {
    const test = 'test/e2e/istio/certificates.test.ts'
    const { files, cluster } = WAYS['the delegation hop']
    await site.apply(...files)
    await site.gateway.until((text) => text.includes(`"cluster":"${cluster}`))
    const ready = async (): Promise<number> => (await review([basic('bob', PASSWORD)])).status
    await eventually(ready, (status) => status === 201)
    const blocks = blocksTestedBy(test, 'deploy/istio/README.md')
    const [lint, requests, ...others] = blocks
    assert.ok(lint && requests && others.length === 0)
    await using folder = await openChecks(site, proxy, blocks)
    const [, rejected = ''] = await outputsOf(lint, folder)
    assert.match(rejected, /^(?:\S+update_rejected: 0\n)+$/)
    const [refused = '', user = '', forged = '', upgraded = '', whoami = ''] = await outputsOf(
      requests,
      folder,
    )
    assert.match(refused, /^HTTP\/\S+ 401/)
    for (const output of [user, forged]) {
      assert.match(output, /^HTTP\/\S+ 200/)
      assert.match(output, /"x-remote-user","alice"/i)
      assert.doesNotMatch(output, /"root"|CN=root/)
    }
    assert.doesNotMatch(upgraded, /^HTTP\/\S+ 403/)
    assert.match(whoami, /Username +alice\nGroups +\[.*ops/)
    for (const block of blocksTestedBy(test, 'docs/how-to/lint-envoy.md')) {
      await outputsOf(block, folder)
    }
  })

  for (const [way, { files, cluster, newcomer }] of Object.entries(WAYS)) {
    describe(`with ${way}`, () => {
      before(async () => {
        await site.apply(...files)
        await site.gateway.until((text) => text.includes(`"cluster":"${cluster}`))
        const ready = async (): Promise<number> => (await review([basic('bob', PASSWORD)])).status
        await eventually(ready, (status) => status === 201)
      })

      it('uses every field of the EnvoyFilter', async () => {
        assert.deepEqual(await notTaken(site, files[0]), [])
      })

      it('has no setting by which identities are mistaken', async () => {
        assert.deepEqual(await errorsOf(site), [])
      })

      it('20. kubectl acts as its user at the API server, with any credential', async () => {
        const { certificate, key } = site.alice
        for (const [credential, user] of [
          [password('alice'), 'alice of dev|ops'],
          [[`--token=${await site.otherIssuer.token('alice')}`], ALICE_BY_TOKEN],
          [[`--client-certificate=${certificate}`, `--client-key=${key}`], 'alice of dev|ops'],
        ] as const) {
          const { output, complaint } = await ask(credential, 'auth', 'whoami', '-o', 'json')
          assert.equal(complaint, '')
          assert.equal(whoIn(output), user)
        }
      })

      it('21. the API server’s audit log has the user, the decision id and a certificate', async () => {
        const answer = await review([basic('alice', PASSWORD)])
        const [id] = valuesOf(answer, 'x-countersign-decision')
        const logged = (await site.cluster.server.audited()).find(({ auditID }) => auditID === id)
        assert.equal(logged?.user.username, 'alice')
        const [credential = ''] =
          logged.user.extra['authentication.kubernetes.io/credential-id'] ?? []
        assert.match(credential, /^X509SHA256=/)
      })

      it('22. kubectl works as usual, and prints refusals', async () => {
        const map = ['create', 'configmap', `map-of-${newcomer}`, '--from-literal=a=b']
        assert.equal((await ask(password('alice'), ...map)).code, 0)
        const { code, complaint } = await ask(password('alice'), 'get', 'secrets')
        assert.equal(code, 1)
        assert.match(complaint, /Forbidden.*no-secrets/)
        const guest = await ask(password('guest'), 'get', 'configmaps')
        assert.match(guest.complaint, /User "guest" cannot list resource "configmaps"/)
      })

      it('23. each of forty simultaneous requests has its own caller’s identity', async () => {
        const names = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'alice' : 'bob'))
        const identities = await Promise.all(
          names.map(async (name) => whoIn((await review([basic(name, PASSWORD)])).body)),
        )
        const groups = { alice: 'dev|ops', bob: 'ops' }
        assert.deepEqual(
          identities,
          names.map((name) => `${name} of ${name === 'bob' ? groups.bob : groups.alice}`),
        )
      })

      it('24. a header of the caller selects no certificate', async () => {
        const headers: readonly HeaderLine[] = [
          basic('bob', PASSWORD),
          ['X-Countersign-Certificate', 'forged'],
        ]
        assert.equal(whoIn((await review(headers)).body), 'bob of ops')
      })

      it('25. without a signer, callers without a certificate are refused', async () => {
        const again = (): Promise<Answer> => review([basic(newcomer, PASSWORD)])
        await site.signer.end('SIGKILL')
        try {
          assert.equal((await again()).status, 503)
          assert.equal(whoIn((await review([basic('bob', PASSWORD)])).body), 'bob of ops')
        } finally {
          await site.signer.start()
        }
        await eventually(again, ({ status }) => status === 201)
      })
    })
  }

  describe('the signer', () => {
    it('runs in pods under the restricted Pod Security Standard', async () => {
      const file = await istioFile('delegation-hop.yaml')
      const { code, complaint } = await site.cluster.kubectl(['apply', '--dry-run=server'], file)
      assert.equal(complaint, '')
      assert.equal(code, 0)
    })

    it('has no key in the pods of the gateway', async () => {
      const labels = { istio: 'ingressgateway' }
      const containers = [{ name: 'istio-proxy', image: 'proxyv2' }]
      const name = 'istio-ingressgateway'
      await apply(site.cluster, [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name, namespace: 'istio-ingress' },
          spec: {
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers } },
          },
        },
      ])
      await using folder = await temporaryFolder()
      const patch = folder.file('patch.yaml')
      await writeFile(patch, await istioFile('gateway-signer.patch.yaml'))
      const patched = ['patch', 'deployment', name, '-n', 'istio-ingress', `--patch-file=${patch}`]
      const output = await succeed(site.cluster, [
        ...patched,
        '-o',
        'jsonpath={.spec.template.spec}',
      ])
      const pod = podSchema.parse(JSON.parse(output))
      assert.deepEqual(
        [...pod.initContainers, ...pod.containers].map((one) => [
          one.name,
          one.volumeMounts.length,
        ]),
        [
          ['countersign-signer', 4],
          ['istio-proxy', 1],
        ],
      )
    })

    const at = async (client?: Target['client']): Promise<Target> => ({
      port: await hop.port('hop'),
      serverName: 'countersign-hop.countersign.svc',
      ca: site.pki.ca,
      ...(client === undefined ? {} : { client }),
    })

    it('26. is reachable by the gateway only', async () => {
      await assert.rejects(http1(await at(), { path: '/version' }))
      await assert.rejects(http1(await at(site.pki.alice), { path: '/version' }))
      const gateway = {
        certificate: `${site.pki.folder}/gateway.pem`,
        key: `${site.pki.folder}/gateway.key`,
      }
      assert.equal((await http1(await at(gateway), { path: '/version' })).status, 403)
    })
  })

  it('27. refuses every request without its policies', async () => {
    const reviews = async (): Promise<number> =>
      (await readFile(site.cluster.server.auditLog, 'utf8')).split(REVIEWS).length
    const policies = 'authorizationpolicies.security.istio.io'
    await site.remove(policies, 'countersign')
    await site.remove(policies, 'countersign-permitted')
    await site.gateway.until((text) => !/include_tls_session|countersign-permitted/.test(text))
    const heard = await reviews()
    assert.equal((await review([basic('alice', PASSWORD)])).status, 503)
    await site.apply('envoy-filter.yaml', 'kube-apiserver-by-hop.yaml')
    const again = (): Promise<Answer> => review([basic('alice', PASSWORD)])
    await eventually(again, ({ status }) => status === 403)
    assert.equal(await reviews(), heard)
  })
})
