import type { ImageService } from "../images/types.ts";
import type { ImageLibrary } from "../server/image-library.ts";

/** The image service as the API server knows it. */
export function imageLibrary(images: ImageService): ImageLibrary {
  return {
    list: (scope) => images.list(scope),
    load: (source, scope) => images.load(source, scope),
    pull: async (name, scope) => (await images.ensure({ image: name, policy: "Always" }, scope)).image,
    remove: (reference, scope) => images.remove(reference, scope),
  };
}
