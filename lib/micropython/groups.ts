/** A board is told of so many paths at a time: it has to hold them. */
const GROUP = 40;

/** The same in their order, in pieces that a board can hold. */
export function* groupsOf<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += GROUP) yield all.slice(at, at + GROUP);
}
