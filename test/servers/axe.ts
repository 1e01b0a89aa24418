// axe-core judges whether a page is accessible.

import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

/** What keeps users out of a page: rule, and element. The policy of the page has to let axe in. */
export const seriousIn = async (page: Page): Promise<readonly string[]> => {
  // It stays where only the document is another, and takes a while to be read.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>("axe.run({ resultTypes: ['violations'] })")
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}
