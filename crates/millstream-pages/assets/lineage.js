// The lineage of a stream's shards: hash keys from top to bottom, generations from left to right, so that splits and merges are seen
// as what they are.

const SVG = "http://www.w3.org/2000/svg";
const KEYS = 2n ** 128n;
const [WIDTH, HEIGHT] = [1000, 320];

/** In which generation each shard is: behind all of its parents that are known. */
export function generations(shards) {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const known = new Map();
  const of = (shard, path) => {
    const { shardId } = shard;
    if (known.has(shardId)) return known.get(shardId);
    if (path.has(shardId)) return 0;
    const behind = new Set(path).add(shardId);
    const parents = shard.parentShardIds.map((id) => byId.get(id)).filter(Boolean);
    const generation = parents.length ? 1 + Math.max(...parents.map((parent) => of(parent, behind))) : 0;
    known.set(shardId, generation);
    return generation;
  };
  shards.forEach((shard) => of(shard, new Set()));
  return known;
}

/** Draws into an SVG element. kind(shard): the class of its rectangle; words(shard): what it says. */
export function draw(svg, shards, kind, words) {
  const generation = generations(shards);
  const columns = Math.max(0, ...generation.values()) + 1;
  const step = WIDTH / columns;
  const box = (shard) => {
    const [first, last] = [shard.startingHashKey, shard.endingHashKey].map((key) => BigInt(key ?? 0));
    const part = (key) => (Number((key * 1_000_000n) / KEYS) / 1_000_000) * HEIGHT;
    const x = generation.get(shard.shardId) * step;
    return { x, y: part(first), width: step * (columns > 1 ? 0.7 : 1), height: Math.max(1, part(last + 1n) - part(first)) };
  };
  const boxes = new Map(shards.map((shard) => [shard.shardId, box(shard)]));
  const made = (name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const middle = ({ y, height }) => y + height / 2;
  const line = (from, to) => made("path", { d: `M${from.x + from.width} ${middle(from)} L${to.x} ${middle(to)}` });
  const lines = shards.flatMap(({ shardId, parentShardIds }) =>
    parentShardIds.filter((id) => boxes.has(id)).map((id) => line(boxes.get(id), boxes.get(shardId))));
  const rects = shards.map((shard) => {
    const rect = made("rect", { ...boxes.get(shard.shardId), class: kind(shard) });
    const title = made("title", {});
    title.textContent = words(shard);
    rect.append(title);
    return rect;
  });
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(...lines, ...rects);
}
