"""The addresses of supervision's pages, below `/work/`."""

from django.urls import include, path

from apps.supervision.views import board, task_answering, task_summary, task_writing, tasks

task_pages = [
    path("tasks/", tasks.task_list, name="tasks"),
    path("tasks/new/", task_writing.new, name="task-new"),
    path("tasks/<int:pk>/", tasks.board, name="task"),
    path("tasks/<int:pk>/edit/", task_writing.edit, name="task-edit"),
    path("tasks/<int:pk>/edit/<slug:step>/", task_writing.edit, name="task-edit"),
    path("tasks/<int:pk>/copy/", task_writing.copy, name="task-copy"),
    path("tasks/<int:pk>/files/", task_writing.attach, name="task-attach"),
    path("tasks/<int:pk>/files/<int:number>/", task_writing.detach, name="task-detach"),
    path("tasks/<int:pk>/urge-late/", tasks.urge_late, name="task-urge-late"),
    path("tasks/<int:pk>/accept-all/", tasks.accept_all, name="task-accept-all"),
    path("tasks/<int:pk>/summary/", task_summary.summary, name="task-summary"),
    path("tasks/<int:pk>/summary.xlsx", task_summary.workbook, name="task-workbook"),
    path("tasks/<int:pk>/summary.csv", task_summary.table, name="task-csv"),
    path("tasks/<int:pk>/move/<slug:name>/", tasks.move, name="task-move"),
    path("task-files/<int:pk>/", tasks.file, name="task-file"),
    path("task-returns/", task_answering.return_list, name="task-returns"),
    path("task-returns/<int:pk>/", task_answering.task_return, name="task-return"),
    path("task-returns/<int:pk>/answer/", task_answering.answer, name="task-answer"),
    path("task-returns/<int:pk>/lines/", task_answering.answer_lines, name="task-lines"),
    path("task-returns/<int:pk>/move/<slug:name>/", task_answering.move, name="task-return-move"),
]
board_pages = [
    path("responsibility-board/", board.responsibility_board, name="responsibility-board"),
    path(
        "responsibility-board/<slug:department>/<slug:key>/",
        board.board_rows,
        name="board-rows",
    ),
]
pages = ([*task_pages, *board_pages], "supervision")
urlpatterns = [path("", include(pages))]
