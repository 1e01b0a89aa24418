// Tells node:test which test runs, at less cost. node:test follows every promise, timer and socket with a hook of
// async_hooks, which takes an eighth of the CPU time of all tests: V8 then tracks each promise until it is collected.
// An AsyncLocalStorage knows the same without a hook. What a test throws later is still reported by its name.

import async_hooks, { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

type Hook = ReturnType<typeof async_hooks.createHook>
type Callbacks = Parameters<typeof async_hooks.createHook>[0]

const { createHook, executionAsyncId } = async_hooks
// oxlint-disable-next-line typescript/unbound-method -- called below with its own `this`
const { runInAsyncScope } = AsyncResource.prototype
/** The id of the test that runs. */
const running = new AsyncLocalStorage<number>()
/** Those of node:test, which keeps its tests by their ids. */
let tests: Callbacks | undefined
/** Of the tests of this file, which are kept until it has ended: they may throw later. */
const kept: number[] = []

/** The class of tests is internal; what it has and no other resource does is a list of its subtests. */
const isTest = (resource: object): boolean => 'subtests' in resource

const hookOfTests = (callbacks: Callbacks): Hook => {
  const hook: Hook = {
    enable: () => {
      tests = callbacks
      return hook
    },
    disable: () => {
      for (const id of kept.splice(0)) callbacks.destroy?.(id)
      if (tests === callbacks) tests = undefined
      return hook
    },
  }
  return hook
}

/** Replaces what node:test uses for that. To be called before it is loaded, since it takes the functions then. */
export const trackTests = (): void => {
  async_hooks.createHook = (callbacks) =>
    /node:internal\/test_runner\//.test(new Error('who calls').stack ?? '')
      ? hookOfTests(callbacks)
      : createHook(callbacks)
  async_hooks.executionAsyncId = () => running.getStore() ?? executionAsyncId()
  AsyncResource.prototype.runInAsyncScope = runInScope
}

function runInScope<This, Result>(
  this: AsyncResource,
  work: (this: This, ...args: never[]) => Result,
  self?: This,
  ...args: never[]
): Result {
  if (!isTest(this)) return Reflect.apply(runInAsyncScope, this, [work, self, ...args])
  const id = this.asyncId()
  kept.push(id)
  tests?.init?.(id, 'Test', this.triggerAsyncId(), this)
  const inside = (): Result => running.run(id, () => Reflect.apply(work, self, args))
  return Reflect.apply(runInAsyncScope, this, [inside])
}
