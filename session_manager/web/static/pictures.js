// More people show themselves than there are places for pictures: whose we ask for.

const PLACES = 4;

/** Ask for the pictures of those who spoke last, every two seconds, when that has changed. */
export function watchPictures(signaling, call, stage) {
  let asked = "";
  setInterval(() => {
    if (!signaling.isOpen) return;
    const { tracks } = stage.view;
    const pictures = [...tracks.values()].filter((track) => track.kind === "video" && track.peer_id !== signaling.welcome.peer_id && !track.muted);
    if (pictures.length <= PLACES) return;
    const order = stage.voices().recent().map((trackId) => tracks.get(trackId)?.peer_id);
    const place = (track) => (order.includes(track.peer_id) ? order.indexOf(track.peer_id) : order.length);
    const wants = pictures.sort((a, b) => place(a) - place(b)).slice(0, 64)
      .map((track, index) => ({ track_id: track.track_id, max_height: index < PLACES ? 360 : 0, priority: Math.max(0, 9 - index) }));
    const key = wants.slice(0, PLACES).map((want) => want.track_id).sort().join();
    if (key === asked) return;
    asked = key;
    call.want(wants);
  }, 2000);
}
