// Fields of a bootstrap, at any depth.

/** An object of the bootstrap. */
export type Parts = Readonly<Record<string, unknown>>

/** The objects in the bootstrap that have that field, in order. */
export const having = (value: unknown, field: string): readonly Parts[] => {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.values(value).flatMap((member) => having(member, field))
  return Object.hasOwn(value, field) ? [{ ...value }, ...below] : below
}

/** All values of a field, at any depth. */
export const valuesOf = (value: unknown, field: string): readonly unknown[] =>
  having(value, field).map((object) => object[field])

/** Whether the early mutations of a bootstrap remove a header of that name, in lower case. */
export const isRemovedEarly = (bootstrap: unknown, name: string): boolean => {
  const early = valuesOf(bootstrap, 'early_header_mutation_extensions')
  return (
    valuesOf(early, 'remove').includes(name) ||
    valuesOf(early, 'regex').some((regex) => new RegExp(`^(?:${String(regex)})$`).test(name))
  )
}
