/** What the server sends of a view's picture. */
export interface ViewReceiving {
  /** mediasoup's score of the stream: 10 is all of it, 0 nothing. */
  score?: number;
  /** Which of the layers is sent, 0 the smallest. */
  spatialLayer?: number;
  temporalLayer?: number;
}

/** How a view is served, where an application knows better than the SDK. */
export interface ViewOptions {
  /** Layers to prefer; by the size at which it is shown where undefined. */
  layers?: { spatialLayer: number; temporalLayer?: number };
  /** Who is served first where bandwidth is short, 255 before 1. */
  priority?: number;
  /** Its picture is shown whoever speaks. */
  pinned?: boolean;
  /** No picture, sound alone. */
  pictureOff?: boolean;
  /** No sound, the picture alone. */
  soundOff?: boolean;
}
