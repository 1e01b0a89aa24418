// The commands by which deploy/istio/README.md and docs/how-to/lint-envoy.md check a gateway, at the gateway of a site. It runs in no pod,
// so kubectl finds one by a script, and what would run in that pod runs here.

import assert from 'node:assert/strict'
import type { Block } from '../../docs/examples/blocks.ts'
import { openPageFolder, type PageFolder } from '../../docs/examples/page-folder.ts'
import { runIn } from '../../docs/examples/page-run.ts'
import { KUBECTL } from '../../servers/kubernetes-programs.ts'
import { PASSWORD } from './configuration.ts'
import type { IstioSite } from './site.ts'

/** Opens a folder in which commands of these pages reach the gateway. */
export const openChecks = async (
  { gateway, folder, pki }: IstioSite,
  proxy: string,
  blocks: readonly Block[],
): Promise<PageFolder> => {
  const admin = gateway.admin.replace('unix:', '')
  return await openPageFolder(blocks, {
    programs: {
      kubectl: `#!/bin/sh
case " $* " in
  *' get pod '*) echo pod/gateway-1 ;;
  *' exec '*' -- pilot-agent request GET '*) shift 7; exec curl -sg --noproxy '*' --unix-socket ${admin} "http://admin/$2" ;;
  *' port-forward '*) ;;
  *) exec ${KUBECTL} "$@" --certificate-authority=${pki.ca} ;;
esac
`,
    },
    files: { '.curlrc': `cacert = "${pki.ca}"\nproxy = "${proxy}"\nsuppress-connect-headers\n` },
    environment: { HTTPS_PROXY: proxy },
    differences: [
      ['http://127.0.0.1:15000', gateway.admin],
      ['countersign.yaml', folder.file('countersign.yaml')],
      ['-u alice', `-u 'alice:${PASSWORD}'`],
      ['--password …', `--password '${PASSWORD}'`],
    ],
  })
}

// curl's status.
const TIMED_OUT = 28

/** Runs each line of a block; its output. */
export const outputsOf = async (
  { text }: Block,
  folder: PageFolder,
): Promise<readonly string[]> => {
  const outputs: string[] = []
  let before = ''
  for (const line of text.trim().split('\n')) {
    const { status, stdout, stderr } = await runIn(folder, `${before}\n${line}`)
    // An upgraded connection stays.
    const isExpected = status === 0 || (status === TIMED_OUT && line.includes('Upgrade'))
    assert.ok(isExpected, `${line}\n${stdout}${stderr}`)
    outputs.push(stdout)
    // Variables are those of one shell.
    if (/^\w+=/.test(line)) before += `\n${line}`
  }
  return outputs
}
