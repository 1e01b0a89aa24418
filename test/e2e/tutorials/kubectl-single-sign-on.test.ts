// docs/tutorials/kubectl-single-sign-on.md, followed from top to bottom, with a real API server, kubectl and browser.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { until } from '../../fakes/until.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { skipWithoutTerminal } from '../../servers/terminal.ts'
import { WIDTH, type Visit } from './browsing.ts'
import { follow, type Edit } from './tutorial.ts'

const PAGE = 'docs/tutorials/kubectl-single-sign-on.md'

const skip =
  skipWithoutEnvoy() ||
  skipWithoutApiServer() ||
  skipWithoutKubectl() ||
  skipWithoutChromium() ||
  skipWithoutTerminal()

/** Removes the `#` before the rule, and waits until authz has read the file. */
const enableRule: Edit = async (folder) => {
  const file = join(folder, 'gateway/countersign.yaml')
  const before = await readFile(file, 'utf8')
  const after = before.replaceAll(/# (?=- deny: no-secrets| {2}resources: \[secrets)/g, '')
  assert.equal(after.length, before.length - 4)
  await writeFile(file, after)
  await until(async () => {
    const audit = await readFile(join(folder, 'gateway/audit.jsonl'), 'utf8')
    return audit.includes('"event":"configuration-loaded","generation":2')
  })
}

// In place of the port that `countersign login` listens on.
const CALLBACK_PORT = '37043'

const visits: Readonly<Record<string, Visit>> = {
  'kubectl-login-page': async ({ page, value, copy }) => {
    const opened = new URL(value('OPENED_PAGE'))
    copy(CALLBACK_PORT, new URL(opened.searchParams.get('redirect_uri') ?? '').port)
    await page.goto(opened.href)
  },
  'kubectl-logged-in': async ({ page, value }) => {
    await page.getByLabel('User name').fill('alice')
    await page.getByLabel('Password').fill(value('PASSWORD'))
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText('You are logged in').waitFor()
    await page.setViewportSize({ width: WIDTH, height: 280 })
  },
}

describe('the tutorial "kubectl with single sign-on"', { skip, timeout: 300_000 }, () => {
  it('does what it says, with the outputs and pages that it shows', async () => {
    // The tokens of the login are in the home folder.
    await using home = await temporaryFolder()
    const { XDG_CACHE_HOME = join(homedir(), '.cache') } = process.env
    await follow(PAGE, {
      ports: [6443, 8443],
      edits: { rule: enableRule },
      captures: { DECISION: /\(decision ([0-9a-f-]{36})\)/ },
      browsing: { certificate: 'gateway/tls/edge.pem', visits },
      environment: { HOME: home.path, XDG_CACHE_HOME },
    })
  })
})
