/* What waiting callers hear when no sound file is set: a soft chord that comes and goes, made here
 * so that nothing has to be shipped and everybody can tell it from a dead line.
 */
#ifndef BRIDGE_WAIT_AUDIO_H
#define BRIDGE_WAIT_AUDIO_H

struct media_prompt;

/* Eight seconds, made to be looped without a click. */
struct media_prompt *wait_audio_make(void);

#endif
