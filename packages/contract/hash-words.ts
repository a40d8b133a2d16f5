/**
 * 256 short, everyday words for comparing a hash by eye on two screens. The order is part of the contract: a byte is its index.
 * No two begin with the same four letters, so that a glance at a word's beginning is enough.
 */
const list =
  'acorn actor album almond amber anchor angle apple april apron arena arrow atlas autumn bacon badge baker bamboo banjo barrel ' +
  'basil beacon beetle bell birch bison blanket bloom board bolt bonfire bottle branch brick bronze brush bubble bucket butter ' +
  'cabin cactus camel candle canvas captain carbon castle cedar chalk cherry chess cider cinema circle clay cliff clock clover ' +
  'cobalt cobweb coconut comet copper coral cotton cradle crane cricket crown crystal daisy dance delta denim desert diamond ' +
  'dolphin dome donkey dragon drum dune eagle earth east echo elbow elm ember engine fabric falcon feast feather fern fiddle field ' +
  'finch flag flame flint flute forest fossil fountain fox frost galaxy garden garlic gazelle ginger glacier globe goose granite ' +
  'grape gravel guitar hammer harbor hazel hedge helmet heron hollow honey horizon horse igloo indigo island ivory jacket jade ' +
  'jasmine jelly jigsaw jungle kettle kite knight koala ladder lagoon lamp lantern lava leaf lemon lentil lily linen lion lizard ' +
  'lobster lotus lunar magnet magpie mango maple marble meadow melon mint mirror monsoon mosaic moth mountain mustard narrow needle ' +
  'nickel north nutmeg oasis ocean olive onion opal orange orbit orchid otter oxygen oyster paddle panda paper parrot pasture pearl ' +
  'pebble pencil pepper piano pigeon pillow pine planet plum pocket pond poplar poppy prairie prism pumpkin puzzle quartz quilt ' +
  'rabbit radar raven ribbon ridge river robin rocket rose ruby saddle saffron salmon sandal satin scarf shell silver slate sparrow ' +
  'spruce squid stone summit swan tango teapot thistle tiger timber topaz tulip turtle umbrella valley vanilla velvet violin wagon ' +
  'walnut willow yarrow zebra';

export const words: readonly string[] = list.split(' ');

/** The first four bytes of a hash (hex) as words: 1 in 4,294,967,296 that two hashes made by chance have the same. */
export const hashWords = (hash: string): string[] =>
  [0, 2, 4, 6].map((at) => words[Number.parseInt(hash.slice(at, at + 2), 16)] ?? '?');
