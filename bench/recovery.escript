#!/usr/bin/env escript
%% A supervised process that reloads a region's lease, reservations and stages from a file, beside
%% which bench/recovery_bench.cpp measures a Narset's recovery.
%% usage: recovery.escript STATE KILLS; prints nanoseconds from each kill to the successor's answer
%% to the telemetry that waits for it. The answer is held against the file's own state.
-mode(compile).
-behaviour(supervisor).
-export([init/1, start_worker/2, handle_call/3, handle_cast/2, handle_info/2]).

main([File, Kills]) ->
  logger:set_primary_config(level, none),  % each kill would be a report
  register(lane, self()),
  {ok, Expected} = file:consult(File),
  {ok, _} = supervisor:start_link(?MODULE, {tree, File}),
  First = ready(),
  times(20, First, Expected),  % until the code is warm
  {Last, Times} = times(list_to_integer(Kills), answering(First), Expected),
  true = is_pid(Last),
  [io:format("~b~n", [Time]) || Time <- Times],
  halt(0);
main(_) ->
  io:format(standard_error, "usage: recovery.escript STATE KILLS~n", []),
  halt(2).

%% Whoever lives now: the warm-up has killed the one that came first.
answering(First) ->
  case is_process_alive(First) of
    true -> First;
    false -> whereis(narset)
  end.

times(Kills, First, Expected) ->
  lists:foldl(fun(Window, {Alive, Times}) ->
                {Next, Time} = killed(Alive, Window, Expected),
                {Next, [Time | Times]}
              end, {First, []}, lists:seq(1, Kills)).

killed(Alive, Window, Expected) ->
  Begin = erlang:monotonic_time(nanosecond),
  exit(Alive, kill),
  Next = ready(),
  Next ! {telemetry, self(), Window},
  receive {answer, Window, Expected} -> ok end,
  {Next, erlang:monotonic_time(nanosecond) - Begin}.

ready() -> receive {ready, Pid} -> Pid end.

start_worker(File, Lane) ->
  gen_server:start_link({local, narset}, ?MODULE, {worker, File, Lane}, []).

init({tree, File}) ->
  Worker = #{id => narset, start => {?MODULE, start_worker, [File, whereis(lane)]}},
  {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, [Worker]}};
init({worker, File, Lane}) ->
  {ok, State} = file:consult(File),
  Lane ! {ready, self()},
  {ok, State}.

handle_info({telemetry, From, Window}, State) ->
  From ! {answer, Window, State},
  {noreply, State}.

handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(_, State) -> {noreply, State}.
