// The commands of the documents that change a cluster, by the real Helm and kubectl at a real API server. It has no kubelet: where
// a command runs a program in a pod, the program runs here, with the configuration that the pod would have.

import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import packageJson from '../../../package.json' with { type: 'json' }
import { CHART, HELM, helm } from '../../../scripts/helm.ts'
import { skipWithoutHelm } from '../../deploy/kubernetes/rendered.ts'
import { blocksOf, blocksTestedBy, type Block } from '../../docs/examples/blocks.ts'
import { runBlocks } from '../../docs/examples/page-run.ts'
import { ROOT } from '../../docs/markdown.ts'
import { startCluster, type Cluster } from '../../servers/cluster.ts'
import { skipWithoutIstiod } from '../../servers/istiod.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { KUBECTL } from '../../servers/kubernetes-programs.ts'
import { defineIstio } from '../istio/mesh.ts'

const TEST = 'test/e2e/documents/cluster.test.ts'
const { version } = packageJson

const skip =
  skipWithoutHelm() || skipWithoutApiServer() || skipWithoutKubectl() || skipWithoutIstiod()

const kubectlProgram = `#!/bin/sh
# kubectl exec deploy/countersign-authz -- node …/countersign.js WORDS: runs countersign WORDS.
case " $* " in *' exec deploy/countersign-authz '*)
  [ "$7" = /usr/lib/countersign/bin/countersign.js ] || exit 9
  shift 7
  ${KUBECTL} -n countersign get configmap countersign-config -o 'jsonpath={.data.countersign\\.yaml}' >pod.yaml
  COUNTERSIGN_CONFIG=pod.yaml exec countersign "$@"
esac
exec ${KUBECTL} "$@"
`

describe('commands for a cluster', { skip, timeout: 180_000 }, () => {
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster()
    await defineIstio(cluster)
  })
  after(() => cluster[Symbol.asyncDispose]())

  /** Runs blocks as the administrator, with a clone and the files of a release in the folder. */
  const administer = async (blocks: readonly Block[], files = {}): Promise<void> => {
    await runBlocks(blocks, {
      without: ['ca', 'signing-keys'],
      programs: { kubectl: kubectlProgram, helm: `#!/bin/sh\nexec ${HELM} "$@"\n` },
      environment: { KUBECONFIG: cluster.kubeconfig },
      differences: [
        ['../kubernetes/', 'deploy/kubernetes/'],
        ['VERSION', version],
      ],
      files: {
        ...files,
        ...Object.fromEntries(['tls.crt', 'tls.key', 'ca.crt'].map((name) => [name, ''])),
      },
      before: async ({ path }) => {
        await symlink(join(ROOT, 'deploy'), join(path, 'deploy'))
        await helm(['package', CHART, '--destination', join(path, 'helm')])
        await symlink(`helm/countersign-${version}.tgz`, join(path, `countersign-${version}.tgz`))
        return new AsyncDisposableStack()
      },
    })
  }

  const uninstall = async (): Promise<void> => {
    await helm(['uninstall', 'countersign', '--namespace=countersign'], cluster.kubeconfig)
  }

  const [install, manifests, secrets, ...others] = blocksTestedBy(
    TEST,
    'docs/operate/kubernetes.md',
  )

  it('install the chart of a clone, and make the Secrets', async () => {
    assert.ok(install && secrets && others.length === 0)
    await administer([install, secrets])
    await uninstall()
  })

  it('install the chart of a release', async () => {
    const page = 'deploy/kubernetes/chart/README.md'
    const values = blocksOf(page).find(({ attributes }) => attributes.get('for') === 'values')
    const files = { 'values.yaml': values?.text ?? '' }
    for (const path of [page, 'docs/operate/install.md']) {
      await administer(blocksTestedBy(TEST, path), files)
      await uninstall()
    }
  })

  it('set up an ingress gateway of Istio', async () => {
    await administer(blocksTestedBy(TEST, 'deploy/istio/README.md'))
    await uninstall()
  })

  it('install without Helm', async () => {
    assert.ok(manifests)
    await administer([manifests])
  })
})
