// The keys that a schema has at a place of a document, so that a message can name the key that was meant.

import * as z from 'zod'

/**
 * The keys of the mappings that a schema allows at a path, in the order of the schema; of a union those of every
 * member. Empty where it allows none, or any.
 */
export const keysAt = (schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] => {
  let places: readonly z.core.$ZodType[] = [schema]
  for (const step of path) places = places.flatMap(plainOf).flatMap((place) => below(place, step))
  const keys = places
    .flatMap(plainOf)
    .flatMap((place) => (place instanceof z.ZodObject ? Object.keys(place.shape) : []))
  return [...new Set(keys)]
}

/** The schemas of the values themselves: without defaults, transforms and unions. */
const plainOf = (schema: z.core.$ZodType): readonly z.core.$ZodType[] => {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(plainOf)
  if (schema instanceof z.ZodPipe) return plainOf(schema.in)
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodLazy
  ) {
    return plainOf(schema.unwrap())
  }
  return [schema]
}

const below = (schema: z.core.$ZodType, step: PropertyKey): readonly z.core.$ZodType[] => {
  if (schema instanceof z.ZodArray) return [schema.element]
  if (schema instanceof z.ZodRecord) return [schema.valueType]
  if (!(schema instanceof z.ZodObject)) return []
  const member: z.core.$ZodType | undefined = Object.hasOwn(schema.shape, step)
    ? schema.shape[String(step)]
    : undefined
  return member === undefined ? [] : [member]
}
