//! The toolkit of `stream_channel`, without a WebSocket and without a runtime.
//!
//! Every test of Dart's `stream_channel` stands here under a name that states the rule for Rust:
//!
//! | Dart | here |
//! |---|---|
//! | **`with_guarantees_test`** | `guarantees` |
//! | with a broadcast stream: buffers events | `what_came_before_anybody_read_is_kept` |
//! | with a broadcast stream: only one subscription | does not compile: `stream_channel`, "a second reader" |
//! | closing the sink causes the stream to stop after the current event | `closing_the_sink_ends_the_stream_before_it_yields_more` |
//! | after the stream closes, the sink ignores events | `after_the_stream_ended_a_send_is_an_error_and_reaches_nobody` |
//! | canceling the stream's subscription has no effect on the sink | `dropping_the_reading_half_has_no_effect_on_the_sink` |
//! | canceling the stream's subscription doesn't stop a done event | `a_sender_notices_the_end_though_nobody_reads` |
//! | forwards errors to the other endpoint | `an_error_item_is_handed_on_and_the_stream_goes_on` |
//! | `sink.done` completes once the stream is done | `close_resolves_once_the_stream_has_ended` |
//! | events can't be added to an explicitly closed sink | `whatever_is_sent_after_close_is_an_error` |
//! | events can't be added while a stream is being added | does not compile: `stream_channel`, "`send_all` borrows the sink" |
//! | with `allowSinkErrors: false`: an error goes to `done`, not to the stream | `an_error_of_the_sink_is_told_by_the_send_alone` |
//! | … an error causes the stream to emit a done event | `an_error_of_the_sink_ends_the_stream` |
//! | … an error closes the inner sink | `an_error_of_the_sink_closes_the_inner_sink` |
//! | … adding an error via `addStream` | `an_error_stops_send_all_and_what_is_sent_later_is_an_error` |
//! | **`with_close_guarantee_test`** | `close_guarantee` |
//! | closing the event sink stops the stream | `through_ten_layers_closing_ends_the_stream` |
//! | closing before any event gives only done | `through_ten_layers_closing_before_any_item_gives_only_the_end` |
//! | **`stream_channel_test`** | `combinators` |
//! | `pipe()` | `a_pipe_carries_both_ways_and_hands_on_the_end` |
//! | `transform()` | `a_transformer_makes_another_channel_both_ways` |
//! | `transformStream()` | `transform_stream_leaves_the_sink_as_it_is` |
//! | `transformSink()` | `transform_sink_leaves_the_stream_as_it_is` |
//! | `changeStream()` | `change_stream_leaves_the_sink_as_it_is` |
//! | `changeSink()` | `change_sink_leaves_the_stream_as_it_is` |
//! | a mixin is usable as mixin, as superclass | `whatever_is_a_stream_and_a_sink_has_the_methods` |
//! | **`stream_channel_controller_test`** | `duplex` |
//! | asynchronous: local to foreign | `what_is_sent_comes_out_at_the_other_end_in_both_directions` |
//! | asynchronous: foreign to local | the same |
//! | with `allowForeignErrors: false` shuts everything down | does not compile: `duplex`, "the ends cannot fail" |
//! | synchronous: local to foreign, within the call | `what_is_sent_is_at_the_other_end_within_the_call` |
//! | synchronous: foreign to local | the same |
//! | **`stream_channel_completer_test`** | `completer` |
//! | when a channel is set before accessing: forwards events from the stream | `set_before_it_is_used_it_receives` |
//! | … forwards events to the sink | `set_before_it_is_used_it_sends` |
//! | … an error is forwarded through the stream | `failed_before_it_is_used_it_tells_the_reader` |
//! | … an error drops sink events | `failed_before_it_is_used_a_send_is_an_error` |
//! | when a channel is set after accessing: forwards events from the stream | `set_while_it_is_read_it_receives` |
//! | … forwards events to the sink | `what_was_fed_before_it_is_set_goes_out_first` |
//! | … an error is forwarded through the stream | `failed_while_it_is_read_it_tells_the_reader` |
//! | … an error drops sink events | `failed_after_it_was_fed_what_was_kept_is_dropped_and_the_flush_tells` |
//! | `fromFuture`: with a value | `a_future_that_resolves_sets_the_channel` |
//! | `fromFuture`: with an error | `a_future_that_fails_is_told_once` |
//! | doesn't allow the channel to be set multiple times | does not compile: `Completer`, "it is set once" |
//! | **`disconnector_test`** | `disconnector` |
//! | before disconnection: outgoing events are forwarded | `before_it_disconnects_what_is_sent_goes_out` |
//! | … incoming events are forwarded | `before_it_disconnects_what_comes_is_received` |
//! | … events can't be added to an explicitly closed sink | `before_it_disconnects_a_send_after_close_is_an_error` |
//! | … events can't be added while a stream is being added | does not compile: `stream_channel`, "`send_all` borrows the sink" |
//! | cancels `addStream` when disconnected | `a_send_all_under_way_ends_when_it_disconnects` |
//! | `disconnect()` returns the close future of the inner sink | `disconnecting_waits_for_the_inner_close` |
//! | after disconnection: closes the inner sink and ignores events to the outer sink | `after_it_disconnected_the_inner_sink_is_closed_and_a_send_is_an_error` |
//! | … closes the stream | `after_it_disconnected_the_stream_ends_and_what_came_is_dropped` |
//! | … completes done | `after_it_disconnected_close_resolves` |
//! | … still emits state errors after explicit close | `after_it_disconnected_a_send_after_close_is_an_error` |
//! | **`multi_channel_test`** | `multi_channel` |
//! | the default virtual channel: begins connected | `default_channel::it_is_connected_from_the_start` |
//! | … closes the remote virtual channel when it closes | `default_channel::closing_it_ends_the_peers` |
//! | … closes the local virtual channel when it closes | `default_channel::closing_it_ends_its_own_stream` |
//! | … doesn't close when its subscription is canceled | `default_channel::dropping_its_reading_half_does_not_close_it` |
//! | … closes the underlying channel when it closes alone | `default_channel::closing_the_only_channel_closes_the_one_below` |
//! | … doesn't when other virtual channels exist | `default_channel::closing_it_does_not_close_the_one_below_while_another_lives` |
//! | a locally created channel: sends messages only to its twin | `locally_created::its_messages_reach_its_twin_alone` |
//! | … closes the remote one | `locally_created::closing_it_ends_the_peers` |
//! | … closes the local one | `locally_created::closing_it_ends_its_own_stream` |
//! | … doesn't close when its subscription is canceled | `locally_created::dropping_its_reading_half_does_not_close_it` |
//! | … closes the underlying channel when it is the last | `locally_created::closing_the_last_one_closes_the_one_below` |
//! | … doesn't when others live | `locally_created::closing_it_does_not_close_the_one_below_while_another_lives` |
//! | … doesn't conflict with a remotely created one | `channels_that_both_ends_opened_do_not_mix_though_their_ids_are_the_same` |
//! | a remotely created channel: the six as of a local one | `remotely_created::` the same names |
//! | … doesn't allow another with the same id | `an_id_is_attached_to_once` |
//! | … dispatches events received before it exists | `what_came_before_it_was_attached_to_is_received` |
//! | … dispatches close events received before it exists | `an_end_that_came_before_it_was_attached_to_is_received` |
//! | when the underlying stream closes, all virtual channels do | `rules::when_the_one_below_ends_all_do_after_what_was_received` |
//! | … later virtual channels are created closed | `rules::when_the_one_below_has_ended_a_new_channel_has_too` |
//! | … emits an error, it goes to the default channel alone | `rules::an_error_of_the_one_below_is_told_by_the_default_channel_alone` |
//! | stream channel rules for the main stream: closing the sink stops the stream | `rules::of_the_main_stream::closing_the_sink_ends_the_stream_before_it_yields_more` |
//! | … after the stream closes, the sink ignores events | `rules::of_the_main_stream::after_the_stream_ended_a_send_is_an_error_and_reaches_nobody` |
//! | … canceling has no effect on the sink | `rules::of_the_main_stream::dropping_the_reading_half_has_no_effect_on_the_sink` |
//! | … canceling doesn't stop a done event | `rules::of_the_main_stream::a_sender_notices_the_end_though_nobody_reads` |
//! | stream channel rules for a virtual channel: the same four | `rules::of_a_virtual_channel::` the same names |
//! | **`isolate_channel_test`**: between two tasks by `duplex`, in a browser by `PortChannel` | `duplex`, `threads`; `tests/message_port` |
//! | the channel can send messages | `threads::the_ends_may_be_in_two_threads`; `ends::what_is_sent_comes_out_at_the_other_end_in_both_directions` |
//! | the channel can receive messages | `duplex::what_is_sent_comes_out_at_the_other_end_in_both_directions`; the same |
//! | events can't be added to an explicitly closed sink | `duplex::what_was_sent_before_an_end_was_closed_is_received`; `ends::whatever_is_sent_after_close_is_an_error` |
//! | events can't be added while a stream is being added | does not compile: `stream_channel`, "`send_all` borrows the sink" |
//! | closing the sink causes the stream to close before it emits more | `duplex::what_was_sent_before_an_end_was_closed_is_received`; `ends::closing_the_sink_ends_the_stream_before_it_yields_more` |
//! | canceling the stream's subscription has no effect on the sink | `guarantees::dropping_the_reading_half_has_no_effect_on_the_sink`; `ends::` the same name |
//! | the sink closes as soon as an error is added, by `addStream` as well | does not compile: `duplex`, "the ends cannot fail"; in a browser a value that is not sent ends nothing: `ends::a_value_that_cannot_be_cloned_is_an_error_of_the_send_and_nothing_goes` |
//! | connect constructors: create a connected pair | `duplex` is connected from the start; `connecting::who_accepts_and_who_offers_are_connected` |
//! | … an error if the first message is wrong | for `duplex` there is none; `connecting::a_first_message_that_is_no_offer_is_an_error`, `by_hand::a_wrong_first_message_is_an_error_and_the_end` |
//! | … close gracefully without a connection | `completer::closing_before_it_is_set_waits_for_nothing_and_drops_the_attempt`; `connecting::a_channel_that_is_still_accepted_can_be_used_and_closed`, `connecting::closing_before_the_other_end_is_there_is_told_to_it` |
//! | **`json_document_transformer_test`** | `json` |
//! | decodes JSON emitted by the channel | `a_document_that_comes_is_a_value` |
//! | encodes objects added to the channel | `a_value_that_goes_is_a_document` |
//! | emits a stream error when incoming JSON is malformed | `what_is_no_document_is_an_error_item_and_the_stream_goes_on` |
//! | synchronously throws if an unencodable object is added | `a_value_that_cannot_be_encoded_is_an_error_of_the_send_and_nothing_goes` |
//! | **`newline_delimited_transformer_test`** (unreleased) | `lines` |
//! | single line | `a_line_ends_with_a_line_feed` |
//! | several lines in one chunk | `several_lines_may_come_in_one_piece` |
//! | line split over chunks | `a_line_may_come_in_several_pieces` |
//! | multi-byte character split over chunks | `a_character_may_come_in_several_pieces` |
//! | `\r\n` | `a_carriage_return_and_a_line_feed_are_one_end` |
//! | trailing unterminated line at close | `what_has_no_line_end_is_a_line_at_the_end` |
//! | blank line | `a_blank_line_is_a_line` |
//! | malformed UTF-8 is an error | `a_line_that_is_not_utf8_is_an_error_item_and_the_stream_goes_on` |
//! | sink appends `\n` | `what_is_sent_gets_a_line_feed` |
//! | encodes non-ASCII | `what_is_sent_is_utf8` |
//! | add with `\n` throws | `a_line_feed_in_a_line_is_an_error_of_the_send_and_nothing_goes` |
//! | add with `\r` throws | `a_carriage_return_in_a_line_is_an_error_of_the_send_and_nothing_goes` |
//! | closing closes inner | `closing_closes_the_channel_below` |
//! | composes with `jsonDocument` | `json`: `documents_go_in_lines` |

mod support;

// The same in a browser: `scripts/page.sh`.
#[cfg(target_family = "wasm")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod close_guarantee;
#[cfg(feature = "codec")]
mod codec;
mod combinators;
mod completer;
mod disconnector;
mod duplex;
mod guarantees;
mod halves;
#[cfg(feature = "json")]
mod json;
mod lines;
mod memory;
mod multi_channel;
mod threads;
