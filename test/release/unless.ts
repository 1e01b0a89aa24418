// What the tests of a release need of the machine.

/**
 * Why tests are left out, as node:test takes it; `false` where what they need is there.
 *
 * @param missing what is missing, and what installs it
 * @throws Error in CI, which installs it
 */
export const unless = (isThere: boolean, missing: string): string | false => {
  if (isThere) return false
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}
