/* feed.h - batches made ahead, in other threads, while members learn.
 *
 *     rs_feed_open(&batches, lanes, threads, 3, &feed, &err);
 *     rs_feed_begin(feed, lane, member, 0, steps);              in each thread that trains
 *     for (int64_t i = 0; i < steps; i++) {
 *         st = rs_feed_take(feed, lane, &batch, &err);
 *         rs_member_step(m, batch, rate);
 *         rs_feed_release(feed, lane);
 *     }
 *     rs_feed_close(feed);
 *
 * A lane is a queue of a few batches for one training thread. Batches come in the order of the
 * steps whoever makes them; a batch that nobody has begun when it is wanted is made by the taker, so
 * that no threads at all will do too. */
#ifndef RS_TRAIN_FEED_H
#define RS_TRAIN_FEED_H

#include "train/batches.h"

typedef struct rs_feed rs_feed;

/* lanes, depth (batches in a queue) >= 1; threads >= 0 that make batches. batches is borrowed until
 * rs_feed_close. */
reshed_status rs_feed_open(const rs_batches *batches, int lanes, int threads, int depth,
                           rs_feed **out, reshed_error *err);
/* Ends the threads; NULL is fine. No lane may be in use. */
void rs_feed_close(rs_feed *feed);

/* Turns a lane to steps [first,end) of a member; what it still held is dropped. */
void rs_feed_begin(rs_feed *feed, int lane, int member, int64_t first, int64_t end);
/* The next batch of a lane, borrowed until rs_feed_release, which must follow, also after a
 * failure of the making, which is given here. Called end - first times at most. */
reshed_status rs_feed_take(rs_feed *feed, int lane, const rs_batch **out, reshed_error *err);
void rs_feed_release(rs_feed *feed, int lane);

#endif
