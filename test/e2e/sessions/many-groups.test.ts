// A user in 2,000 groups logs in with a real browser: the groups stay on our side, and each upstream gets
// those that its route forwards.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { stringify } from 'yaml'
import { cheapHash } from '../../fakes/hashes.ts'
import { pairsOf } from '../../servers/client.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { logIn, usersAt } from '../browser-users.ts'
import type { Site } from '../site.ts'
import { APP, COOKIE, ISSUER, OTHER, startDashboards } from './dashboards.ts'

const COUNT = 2_000
const PERSON = { user: 'wanda', password: 'secret' }

const KEPT = Array.from({ length: 10 }, (_, index) => `k8s-${index}`)
/** As directories name them: 120 KB altogether. */
const REST = Array.from(
  { length: COUNT - KEPT.length },
  (_, index) => `CN=Members of project ${index},OU=Groups,DC=corp,DC=example,DC=org`,
)
const ALL = { groups: { max: COUNT, maxBytes: 200_000 } }

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('a user in 2,000 groups, through Envoy and in a browser', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let site: Site
  before(async () => {
    const folder = stack.use(await temporaryFolder())
    const { user, password } = PERSON
    const users = { [user]: { password: await cheapHash(password), groups: [...REST, ...KEPT] } }
    await writeFile(folder.file('users.yaml'), stringify({ users }))
    const verify = [{ users: { file: folder.file('users.yaml') } }]
    const session = { cacheTtl: '0s' }
    site = stack.use(
      await startDashboards({
        authenticators: {
          staff: { basic: { realm: 'Site', verify }, identity: ALL },
          browser: { session, identity: { groups: { keep: ['k8s-*'] } } },
          another: { session, identity: ALL },
        },
        dashboard: { authorize: [{ allow: 'everybody' }] },
      }),
    )
  })
  const open = usersAt(() => ({ site }))
  after(() => stack.disposeAsync())

  it('has a cookie of the usual size, and the upstream gets the groups that its route forwards', async () => {
    const { page, context } = await open()
    await page.goto(`${APP}/orders?x=1#y`)
    await logIn(page, PERSON)
    await page.waitForURL(`${APP}/orders?x=1#y`)
    const cookies = await context.cookies()
    const [cookie, ...more] = cookies.filter(({ domain }) => domain === new URL(APP).host)
    assert.deepEqual([cookie?.name, cookie?.value.length, more], [COOKIE, 43, []])
    const bytes = cookies.map(({ name, value }) => name.length + value.length)
    assert.ok(Math.max(...bytes) < 100, `cookies of ${bytes.join(', ')} bytes`)
    const received = pairsOf(site.upstream.requests.at(-1)?.rawHeaders ?? [])
    const values = (wanted: string) =>
      received.flatMap(([name, value]) => (name === wanted ? [value] : []))
    assert.deepEqual(values('x-remote-group'), KEPT)
    const [authorization = ''] = values('authorization')
    assert.deepEqual(decodeJwt(authorization.replace('Bearer ', ''))['groups'], KEPT)
  })

  it('gets a message where a route would forward more than fits, and the upstream no request', async () => {
    const { page } = await open({ refusals: [403] })
    site.upstream.clear()
    await page.goto(`${OTHER}/`)
    await logIn(page, PERSON)
    await page.waitForURL(`${OTHER}/`)
    const text = await page.locator('body').innerText()
    assert.match(text, /This identity, with all its groups, is too large to be forwarded/)
    assert.equal(site.upstream.requests.length, 0)
    assert.equal((await site.events()).at(-1)?.reason, 'headers-too-large')
  })

  it('are all listed on the account page', async () => {
    const { page } = await open({ viewport: { width: 390, height: 844 } })
    await page.goto(`${ISSUER}/account`)
    await logIn(page, PERSON)
    await page.getByText('2,000 groups').waitFor()
    await page.locator('summary').click()
    await page.getByText('k8s-9', { exact: true }).waitFor()
  })
})
