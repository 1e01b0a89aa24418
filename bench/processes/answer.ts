// The other end of `worker.ts`.

/** Answers every question of the process that started us, and ends with it. */
export const answerQuestions = (answer: (question: unknown) => unknown): void => {
  process.on('message', (question) => {
    Promise.try(answer, question).then(
      (result) => process.send?.({ answer: result }),
      (cause: unknown) =>
        process.send?.({ failure: cause instanceof Error ? cause.message : String(cause) }),
    )
  })
  // The parent has ended, perhaps killed: a server must not stay behind.
  process.once('disconnect', () => process.exit())
}
